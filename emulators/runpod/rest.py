"""The application: REST v2, the v1 that is gone, GraphQL, and the way behind the scenes."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from . import account, admin, billing, graphql, offers, pods, storage, v1
from .hub import Hub
from .problems import ProblemError

ROUTERS = (pods, storage, account, offers, billing, v1, graphql, admin)


def application(hub: Hub) -> FastAPI:
    """Everything that answers on 127.0.0.1; `front.Front` goes around it."""
    app = _bare(hub)
    for part in ROUTERS:
        app.include_router(part.router)
    return app


def inner_application(hub: Hub) -> FastAPI:
    """What pods themselves can reach: GraphQL, and nothing else."""
    app = _bare(hub)
    app.state.pods_only = True
    app.include_router(graphql.router)
    return app


def _bare(hub: Hub) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.state.hub, app.state.pods_only = hub, False
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http_problem)
    app.add_exception_handler(RequestValidationError, _validation_problem)
    return app


def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    kind = "application/problem+json"
    return JSONResponse(error.body(), error.status, headers=error.headers, media_type=kind)


def _http_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return _problem(request, ProblemError(error.status_code, "resource not found"))
    detail = "The requested method is not supported for this path."
    allowed = {"Allow": ", ".join(_methods(request.url.path))}
    return _problem(request, ProblemError(405, detail, headers=allowed))


def _validation_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = [f"$.{each['loc'][-1]}: {each['msg']}" for each in error.errors()]
    return _problem(request, ProblemError(422, "Request validation failed.", faults))


def _methods(path: str) -> list[str]:
    """All methods of the path: the framework itself tells those of one route only."""
    routes = [route for part in ROUTERS for route in part.router.routes]
    found = [
        route.methods or set()
        for route in routes
        if isinstance(route, APIRoute) and route.path_regex.match(path)
    ]
    return sorted(set().union(*found))
