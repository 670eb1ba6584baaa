"""The sentences in the code of which some reach the dashboard's pages, found in its syntax trees."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]

#: Where sentences come from that an answer, an event or a finding can carry to a page.
SOURCES = (
    "antrian/broker/connection.py",
    "antrian/broker/discovery.py",
    "antrian/broker/tls.py",
    "antrian/broker/queue_scan/pipelined_operation.py",
    "antrian/broker/queue_scan/scan.py",
    "antrian/broker/stream/*.py",
    "antrian/domain/lane.py",
    "antrian/domain/message.py",
    "antrian/domain/body.py",
    "antrian/domain/phone_number.py",
    "antrian/domain/phone_spelling.py",
    "antrian/domain/priority.py",
    "antrian/domain/headers.py",
    "antrian/domain/receipt.py",
    "publisher/client.py",
    "publisher/time_expression.py",
    "publisher/pipeline.py",
    "publisher/request.py",
    "consumer/lane/admission.py",
    "consumer/lane/ledger.py",
    "consumer/lane/tick.py",
    "consumer/lane/worker.py",
    "consumer/malformed.py",
    "antrian/providers/http.py",
    "antrian/providers/outgoing_checks.py",
    "antrian/providers/template.py",
    "antrian/providers/mpwa/*.py",
    "antrian/providers/waha/*.py",
    "antrian/providers/gowa/*.py",
    "antrian/providers/fonnte/*.py",
    "antrian/providers/meta_cloud/*.py",
    "antrian/providers/twilio/*.py",
    "admin_api/*.py",
    "admin_api/auth/*.py",
    "antrian/operations/bulk_import/*.py",
    "antrian/operations/contacts/*.py",
    "antrian/operations/dead_letters/*.py",
    "antrian/contacts/book.py",
    "antrian/contacts/follower.py",
    "antrian/history/dead_letter.py",
    "antrian/history/follower.py",
    "antrian/history/journal/*.py",
    "antrian/history/queries/cursor.py",
    "antrian/history/queries/time_axis.py",
    "antrian/operations/lane/*.py",
    "admin_api/*.py",
    "admin_api/routes/*.py",
    "admin_api/schemas/*.py",
    "antrian/doctor/*.py",
)

#: What only commands print, and what only programs read.
_ELSEWHERE = re.compile(
    r"antrian/(cli|providers/.*/conformance)[./].*|.*_view\.py|admin_api/(auth/headers|metrics|openapi|process)\.py"
)

#: Calls whose texts are not for pages: names of connections, help, the API's own description, expressions, log events.
_OTHER_USES = frozenset(
    {
        "Annotated",
        "APIKeyCookie",
        "APIRouter",
        "Argument",
        "Body",
        "Cookie",
        "FastAPI",
        "Field",
        "Form",
        "HTTPBearer",
        "Header",
        "HistoryFollower",
        "Link",
        "Metric",
        "Need",
        "Option",
        "Path",
        "Query",
        "ReadAhead",
        "Typer",
        "cast",
        "compile",
        "connect",
        "debug",
        "error",
        "exception",
        "getLogger",
        "info",
        "open_channel",
    }
)

#: What has fewer is a code or a name.
_FEWEST_WORDS = 2

#: What stands in a sample for a value: a word that no sentence has.
VALUE = "QvalueQ"


def sentences() -> dict[str, str]:
    """Every sentence with `VALUE` for each of its values, and where it stands."""
    found: dict[str, str] = {}
    for pattern in SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            if not _ELSEWHERE.fullmatch(str(path.relative_to(ROOT))):
                for line, sentence in _Reader(path).read():
                    found.setdefault(sentence, f"{path.relative_to(ROOT)}:{line}")
    return found


class _Reader(ast.NodeVisitor):
    def __init__(self, path: Path) -> None:
        self._tree = ast.parse(path.read_text())
        self._found: list[tuple[int, str]] = []

    def read(self) -> Iterator[tuple[int, str]]:
        self.visit(self._tree)
        return iter(self._found)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name == "AnswerRow":
            # Where it was read, and what a provider says, are for no page.
            for keyword in node.keywords:
                if keyword.arg == "advice":
                    self.visit(keyword.value)
        elif name not in _OTHER_USES:
            self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        """An annotation is no sentence."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        # Without decorators and annotations.
        for part in (*node.args.defaults, *node.body):
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815

    def visit_Compare(self, _node: ast.Compare) -> None:
        """Something else's words, recognised."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._take(
            node.lineno, "".join(part.value if isinstance(part, ast.Constant) else VALUE for part in node.values)
        )
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._take(node.lineno, node.value)

    def _take(self, line: int, text: str) -> None:
        if len(re.findall(r"[A-Za-z]{2,}", text.replace(VALUE, ""))) >= _FEWEST_WORDS and " " in text.strip():
            # Of several sentences in one answer, the later ones come after a semicolon.
            self._found.append((line, text.removeprefix("; ")))
