"""Named errors. Pure.

Every error a caller can cause is a subclass of JiesuError: it knows its HTTP status, a slug that
is part of the interface, and what a person should read. Services name their own refusals beside
their rules; only errors that several services raise stand here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shared.labels import ACTS, FIELDS, STATUSES, label, labels
from shared.security.masking import mask_patterns

SHOWN = 40  # characters of a code that is in no table: enough to know it again


class JiesuError(Exception):
    """Something nobody expected went wrong. What it was is logged under the request's trace.

    An error has a status, a slug and a sentence; ``extra`` lands in the problem document.
    """

    status = 500
    slug = "internal-error"
    title = "系统内部错误 Internal error"

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.extra = extra


def named_errors(kind: type[JiesuError] = JiesuError) -> Iterator[type[JiesuError]]:
    """Every error this process knows that has a slug of its own."""
    if "slug" in vars(kind):
        yield kind
    for below in kind.__subclasses__():
        yield from named_errors(below)


class Malformed(JiesuError):
    """The request does not say what it must; nothing was done."""

    status = 422
    slug = "malformed"
    title = "请求内容不符合要求 The request is malformed"


class UnknownCode(Malformed):
    """A code that is not in the tables of this jurisdiction; ``allowed`` or ``nearest`` help on. ``detail``
    says which was sent, masked and cut short: a code is no text of a citizen's, unless somebody errs.
    """

    slug = "unknown-code"
    title = "代码不存在 Unknown code"

    def __init__(self, value: str | Iterable[str], *, field: str, **extra: Any) -> None:
        given = [value] if isinstance(value, str) else value
        said = mask_patterns(", ".join(given))[:SHOWN]
        super().__init__(
            f"“{label(field.rpartition('.')[2], FIELDS)}”中没有“{said}”，请填写代码表中的代码或名称。"
            f"{field}: there is no code {said!r}",
            field=field,
            **extra,
        )


class AmbiguousCode(Malformed):
    """A name was sent for a code, and several rows of the table are called so: ``allowed`` are their
    codes.
    """

    slug = "ambiguous-code"
    title = "名称对应多个代码 The name stands for several codes"


class KeyReused(Malformed):
    """The same Idempotency-Key came with another body or to another place."""

    slug = "idempotency-key-reused"
    title = "幂等键已用于其他内容 The Idempotency-Key was used for another body"


class BadCursor(JiesuError):
    """A cursor that was not given out by this service."""

    status = 400
    slug = "bad-cursor"
    title = "游标无效 The cursor is not one of ours"


class Unauthenticated(JiesuError):
    """No token, or one that is expired, revoked or not ours."""

    status = 401
    slug = "unauthenticated"
    title = "未认证 A valid token is needed"


class Forbidden(JiesuError):
    """The caller's role may not do this."""

    status = 403
    slug = "forbidden"
    title = "无权操作 Your role may not do this"


class OwnApproval(Forbidden):
    """双人复核: who asks for something that takes a second person cannot approve it as well; the same person
    under another role is the same person. ``asked_by`` is who asked.
    """

    slug = "own-approval"
    title = (
        "不得自行批准：须由另一人批准 Nobody approves what they asked for: it takes another person"
    )


class NotFound(JiesuError):
    """No such thing, or not the caller's to know of."""

    status = 404
    slug = "not-found"
    title = "不存在 Not found"


class Recused(JiesuError):
    """回避: the unit the complaint is about and its kin may neither lead nor help (R-35, JN-32), and no
    correction may take that from them.

    ``unit`` is who must withdraw, ``field`` where the request names it.
    """

    status = 409
    slug = "recused"
    title = "被反映单位及其上下级单位须回避 The reported unit and its kin must withdraw"


class InArbitration(JiesuError):
    """争议裁决中: whose duty the ticket is, an arbitration decides, and no other door meanwhile.

    ``arbitration`` names it, ``rule`` the rule of the trade; ``allowed`` are the doors that lead on.
    """

    status = 409
    slug = "in-arbitration"
    title = "该工单正在争议裁决，承办单位由裁决确定 In arbitration: whose duty it is, the ruling decides"

    def __init__(self, arbitration: str) -> None:
        doors = ["statements", "raise", "ruling"]
        super().__init__(rule="R-17", arbitration=arbitration, allowed=doors)


class MoveRefused(JiesuError):
    """Where a thing stands does not allow this move; ``current_status`` and ``allowed`` say what it
    does allow.
    """

    status = 409
    slug = "move-refused"
    title = "当前状态不允许此操作 The status does not allow this move"

    def __init__(self, action: str, state: str, allowed: list[str]) -> None:
        moves = ", ".join(allowed)
        super().__init__(
            f"当前状态“{label(state, STATUSES)}”不允许“{label(action, ACTS)}”；"
            f"可行的操作：{labels(allowed, ACTS) or '无'}。"
            f"{action} is not allowed in status {state}; allowed: {moves or 'none'}",
            current_status=state,
            allowed=allowed,
        )


class Busy(JiesuError):
    """More requests wait than are served in reasonable time; nothing was done."""

    status = 503
    slug = "busy"
    title = "请求过多，请稍后用同一幂等键重试 Too many requests wait; repeat with the same Idempotency-Key"

    def __init__(self) -> None:
        super().__init__(retry_after=2)


class ContractError(Exception):
    """A message on the bus that fits no contract: never retried, dead at once with this reason."""


class Disagreement(ContractError):
    """A message whose parts contradict one another, or that nobody may have said: the reason names
    the two. Nothing in it is believed, not even its id.
    """


class NewerFact(ContractError):
    """A fact of a newer release: its envelope is read, its type, version or a word in it is not
    known here. Kept until a release comes that knows it.

    ``envelope`` is the fact with its data as it was said.
    """

    def __init__(self, reason: str, envelope: Any) -> None:
        super().__init__(reason)
        self.envelope = envelope


class TooEarly(Exception):
    """A fact whose ground has not arrived yet: tried again in a second, dead only after a day."""


class ConfigError(Exception):
    """A fault in a configuration file; the message names file, line and field."""
