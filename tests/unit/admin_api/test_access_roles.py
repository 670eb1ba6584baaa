import pytest

from admin_api.auth.roles import Role, allows

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
