"""Who a route is for: the annotations of its actor."""

from typing import Annotated

from fastapi import Depends

from admin_api.auth.authorization import Actor, require
from admin_api.auth.roles import Role

Viewer = Annotated[Actor, Depends(require(Role.VIEWER))]
Operator = Annotated[Actor, Depends(require(Role.OPERATOR))]
Admin = Annotated[Actor, Depends(require(Role.ADMIN))]
Service = Annotated[Actor, Depends(require(Role.PUBLISHER))]
