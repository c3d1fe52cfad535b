"""The request to call, as the phone system gets it: one model for what is sent and what is documented.

What a phone system must build stands in docs/connect-phone.md, and in the ``webhooks`` of this
service's OpenAPI.
"""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from services.feedback.rules.planning import MOST_ATTEMPTS
from services.feedback.rules.policy import Question
from shared.events import CallbackAbout

webhooks = APIRouter(tags=["webhook 回访请求"])


class Called(BaseModel):
    """被叫 Whom to call: keep neither longer than the call takes, and log neither."""

    name: str | None = Field(max_length=50, description="姓名，可能为空 may be null", repr=False)
    phone: str = Field(
        max_length=40, description="号码，固定电话带区号 a landline with its area code", repr=False
    )


class CallRequest(BaseModel):
    """回访请求: call this citizen, ask these questions, report what came of it."""

    type: Literal["callback.ask", "callback.test"] = Field(
        description="callback.test：联通试验，照常答复，不要拨打 a trial: answer as always, do not dial"
    )
    callback: UUID = Field(description="回访编号，上报结果时放入路径 the outcome is reported to it")
    number: str = Field(max_length=15, description="工单编号 the ticket's number")
    round: int = Field(description="第几次办理 which handling of the ticket", ge=1, le=2**31 - 1)
    attempt: int = Field(
        description="第几次拨打，上报时原样带回 say it again in the outcome", ge=1, le=MOST_ATTEMPTS
    )
    person: bool = Field(
        description="true：须由人工拨打，不得用语音机器人 a person makes this call, not a machine"
    )
    matter: str | None = Field(
        default=None,
        max_length=100,
        description="诉求人一次来电反映多个事项时，本次询问的是哪一项，先念给对方；其余情况为 null "
        "which of several matters of one call it is: say it first; null where there was one",
    )
    about: CallbackAbout = Field(
        default=CallbackAbout.ANSWER,
        description="询问事项：answer 办理结果；put_off 是否同意承诺日期；promise 承诺是否兑现；"
        "both 首次回访前承诺已兑现或到期，一并询问 what is asked of: the answer; whether the promised day is "
        "accepted; whether the promise was kept; both, where it had ended before the first call",
    )
    promised_date: date | None = Field(
        default=None,
        description="承诺办结日期，没有则为 null the promised day, null where there is none",
    )
    questions: tuple[Question, ...] = Field(description="按顺序提问 ask them in this order")
    contact: Called

    @property
    def webhook_id(self) -> str:
        """The same for every try of one attempt, so that the phone system dials once."""
        return f"{self.callback}.{self.attempt}"


ID = Annotated[
    str,
    Header(
        alias="webhook-id",
        max_length=64,
        description="`<callback>.<attempt>`：同一次拨打的每次重发都相同，据此去重，只拨一次 "
        "the same for every repeat of one attempt: dial once",
    ),
]
TIMESTAMP = Annotated[
    str,
    Header(
        alias="webhook-timestamp",
        max_length=20,
        description="发送时刻，Unix 秒；与本机相差五分钟以上应拒绝 "
        "seconds since 1970; refuse what is more than five minutes off",
    ),
]
SIGNATURE = Annotated[
    str,
    Header(
        alias="webhook-signature",
        max_length=1_000,
        description="`v1,` + base64(HMAC-SHA256(密钥 secret, `id.timestamp.body`))；可有多个，以空格分隔，"
        "一个相符即可 several may stand there, a space between them: one that fits is enough",
    ),
]


@webhooks.post(
    "callback.ask",
    status_code=202,
    operation_id="ask_for_call",
    response_description="已接收：任何 2xx 都算 Taken: any 2xx counts, its body is not read",
    responses={
        "4XX": {
            "description": "未接收，稍后重发；也不跟随 3xx Not taken: asked again; so is a 3xx"
        },
        "5XX": {"description": "未接收，稍后重发 Not taken: asked again"},
    },
)
def ask_for_call(body: CallRequest, id: ID, timestamp: TIMESTAMP, signature: SIGNATURE) -> None:
    """回访请求 Posted to JIESU_PHONE_SYSTEM_URL when a call is due, signed as Standard Webhooks say.

    请在十秒内答复，再去拨打。Answer within ten seconds, then dial.
    """
