"""Which number a typed text means, so that it can be seen before anything is sent to it."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from admin_api.dependencies import Operator
from admin_api.openapi import problems
from antrian.domain.errors import InvalidPhoneNumber
from antrian.domain.phone_number import display, normalize

router = APIRouter(tags=["lane"])


class NumberProblem(BaseModel):
    """Why something typed is not a recipient's number."""

    code: str = Field(examples=["letter-in-phone-number"])
    detail: str = Field(examples=["character 13 is the letter O: a phone number has digits only"])
    place: int = Field(description="Which character is wrong, counted from 1; 0 when it is not about one.")
    character: str = Field(description="That character, if it is a visible one of ASCII.")


class NumberAnswer(BaseModel):
    """The number that would be used, or why there is none."""

    phone_number: str | None = Field(default=None, description="E.164.", examples=["+6281234567890"])
    display: str | None = Field(default=None, description="For people.", examples=["+62 812-3456-7890"])
    problem: NumberProblem | None = None


@router.get("/numbers", responses=problems())
def numbers(_actor: Operator, phone_number: Annotated[str, Query(max_length=200)]) -> NumberAnswer:
    """The number that a message would go to; what is no number is an answer, too, and not an error of the request."""
    try:
        e164 = normalize(phone_number)
    except InvalidPhoneNumber as error:
        reason = NumberProblem(code=error.code, detail=error.detail, place=error.place, character=error.character)
        return NumberAnswer(problem=reason)
    return NumberAnswer(phone_number=e164, display=display(e164))
