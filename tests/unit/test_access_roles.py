import pytest

from admin_api.access.masking import mask_number
from admin_api.access.roles import Role, allows

MAY = {
    Role.VIEWER: {Role.VIEWER},
    Role.OPERATOR: {Role.VIEWER, Role.OPERATOR},
    Role.ADMIN: {Role.VIEWER, Role.OPERATOR, Role.ADMIN},
    Role.PUBLISHER: {Role.PUBLISHER},
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("needed", Role)
def test_a_role_includes_those_below_it_and_publishing_stands_apart(role, needed):
    assert allows(role, needed) is (needed in MAY[role])


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+6281234567890", "+62 812-••••-7890"),
        ("+628123456789", "+62 812-••••-6789"),
        ("+12025550123", "+1 202-••••-0123"),
        ("+6591234567", "+65 ••••-4567"),
        ("+62811234", "••••"),
        ("6281234567890", "••••"),
        ("", "••••"),
        ("no number", "••••"),
        ("+", "••••"),
    ],
)
def test_a_masked_number_shows_country_operator_and_four_digits_at_most(number, masked):
    assert mask_number(number) == masked
