"""A trial call: a signed request to call nobody, and what its answer means.

It goes out as feedback sends its own: the same client, the same signature, the same judgement of
the answer. Its type is ``callback.test``, its number is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import uuid6
from pydantic import SecretStr

from services.feedback.phone import AskFailed, open_client, post, target_of
from services.feedback.settings import Config, Settings
from services.feedback.webhook import Called, CallRequest
from shared import clock

NOBODY = Called(name="联通试验 Test", phone="00000000000")
NUMBER = "00000000-000000"

BY_STATUS = {
    range(
        300, 400
    ): "不跟随重定向：请填最终地址。A redirect is not followed: give the final address.",
    range(401, 402): "签名校验未通过：核对密钥，并对收到的原始字节校验。"
    "The signature was refused: compare the secrets, and verify the bytes as they came.",
    range(403, 404): "被拒绝：核对密钥与防火墙。Refused: look at the secret and at the firewall.",
    range(404, 406): "地址或方法不对：应接受 POST。The path or method is wrong: it takes a POST.",
    range(
        413, 416
    ): "对方不接受此类型或大小：应接受 JSON。It must take JSON, up to some kilobytes.",
    range(400, 500): "对方认为请求有误：见 docs/connect-phone.md。"
    "It thinks the request wrong: see docs/connect-phone.md.",
    range(500, 600): "对方程序出错：见其日志。The phone system failed: see its log.",
}
SLOW = "对方未在 10 秒内答复：先答复，再拨打。It did not answer within 10 seconds: answer first, then dial."
UNREACHED = (
    "连不上：核对地址、端口、防火墙，对方是否已启动。"
    "Not reached: look at address, port and firewall, and whether it runs."
)
UNTRUSTED = (
    "证书不受信任：用 SSL_CERT_FILE 指明签发机构。"
    "Its certificate is not trusted: name its authority in SSL_CERT_FILE."
)
PRIVATE = (
    "对方在内网：设置 JIESU_ALLOW_PRIVATE_WEBHOOKS=true。"
    "It is on a private network: set JIESU_ALLOW_PRIVATE_WEBHOOKS=true."
)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it: the status, or why there was none, and what helps."""

    said: str
    seconds: float
    taken: bool
    cure: str = ""


def settings_for(url: str, secrets: dict[str, Any]) -> Settings:
    """Feedback's settings with this address; of its secrets nothing but the webhook's is needed."""
    given: dict[str, Any] = {
        "phone_system_url": url,
        "service_token": SecretStr("unused"),
        **secrets,
    }
    return Settings(embedded=True, **given)


async def attempt(config: Config) -> Tried:
    """Send one test call, and judge the answer as feedback does."""
    began = clock.real()

    def tried(said: str, taken: bool, cure: str = "") -> Tried:
        return Tried(said, (clock.real() - began).total_seconds(), taken, cure)

    try:
        async with open_client() as client:
            target = await target_of(config.settings)
            status = await post(client, config.settings, target, request_of(config))
    except AskFailed as refused:
        return tried(str(refused), False, PRIVATE if "private" in str(refused) else UNREACHED)
    except httpx.TimeoutException as late:
        return tried(type(late).__name__, False, SLOW)
    except httpx.HTTPError as lost:
        untrusted = "CERTIFICATE" in str(lost)
        return tried(type(lost).__name__, False, UNTRUSTED if untrusted else UNREACHED)
    taken = httpx.codes.is_success(status)
    return tried(f"HTTP {status}", taken, "" if taken else cure_for(status))


def request_of(config: Config) -> CallRequest:
    """The request to call nobody."""
    return CallRequest(
        type="callback.test",
        callback=UUID(bytes=uuid6.uuid7().bytes),
        number=NUMBER,
        round=1,
        attempt=1,
        person=False,
        questions=config.policy.questions,
        contact=NOBODY,
    )


def cure_for(status: int) -> str:
    """What helps against an answer that does not count."""
    return next((words for statuses, words in BY_STATUS.items() if status in statuses), UNREACHED)
