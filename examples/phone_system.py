"""电话系统 A phone system on Jiesu's public HTTP: what a vendor would start from.

    citizen ──call──→ phone system ──POST /v1/tickets──→ intake
    citizen ←──call── phone system ←──signed webhook──── feedback
                            └──POST /v1/callbacks/{id}/outcome──→ feedback

It registers what citizens say, lets them add, urge and ask how far it is, and calls them back when
feedback asks for it. The request to call carries the citizen's name and number; keep neither
longer than the call takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import orjson
from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError

from examples.connection import TRIES, Connection, Json, rest

AGAIN = 1.0  # seconds

# --- registering -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Receipt:
    """受理回执: the number to tell the citizen, and the code (查询码) that opens its progress.

    ``created`` is False when the complaint had been registered before.
    """

    number: str
    code: str = field(repr=False)
    created: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """回访: one call that feedback asks for. ``person``: let a person make it, not a machine. ``about``: what
    is asked of, an answer, a day that was promised, or whether the promise was kept.

    ``id`` is the same for every try of one attempt: dial once, however often it is asked for.
    """

    id: str
    callback: str
    number: str
    round: int
    attempt: int
    person: bool
    questions: Sequence[Json] = field(repr=False)
    name: str = field(repr=False)
    phone: str = field(repr=False)
    about: str = "answer"


# How a citizen takes a call: the outcome to report. {"outcome": "answered", "contacted": "yes",
# "solved": "yes", "satisfied": "satisfied"}, or {"outcome": "no_answer"}, "refused" …
Citizen = Callable[[Call], Json]


class PhoneSystem:
    """A phone system with its token (role ``phone_system``) and the secret of its webhook.

    ``citizen`` stands for the line: it takes a call and says what came of it.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        urls: dict[str, str],
        token: str,
        secret: str,
        citizen: Citizen,
    ) -> None:
        self._intake = Connection(http, urls["intake"], token)
        self._feedback = Connection(http, urls["feedback"], token)
        self._in_public = Connection(http, urls["intake"])
        self._webhook = Webhook(secret)
        self._citizen = citizen
        self._waiting: dict[str, Call] = {}
        self._taken: set[str] = set()

    async def register(self, complaint: Json, key: str) -> Receipt:
        """Register one complaint. ``key`` is the call's own id: on trouble the same one is sent
        again, and a complaint that got through the first time is not registered twice.
        """
        answer = await self._intake.post("/v1/tickets", complaint, key)
        return Receipt(answer["number"], answer["code"])

    async def register_many(self, complaints: Sequence[Json], key: str) -> list[Receipt]:
        """Register up to 1,000 at once; each is judged alone. Raises ValueError if one is refused."""
        answers = await self._register_all({"tickets": list(complaints)}, key)
        if refused := [answer["problem"] for answer in answers if answer["problem"]]:
            raise ValueError(f"{len(refused)} refused, the first: {refused[0]}")
        return [
            Receipt(answer["ticket"]["number"], answer["ticket"]["code"], answer["status"] == 201)
            for answer in answers
        ]

    async def _register_all(self, batch: Json, key: str) -> list[Json]:
        """What was answered to each. Trouble may meet some and not others: the same batch is sent
        again, and who got through the first time has the same number again.
        """
        for _ in range(TRIES):
            answers: list[Json] = (await self._intake.post("/v1/tickets/batch", batch, key))[
                "answers"
            ]
            if all(answer["status"] < 500 for answer in answers):
                break
            await rest(AGAIN)
        return answers

    async def supplement(self, number: str, content: str, key: str) -> Json:
        """补充: the citizen adds something."""
        body = {"content": content}
        answer: Json = await self._intake.post(f"/v1/tickets/{number}/supplements", body, key)
        return answer

    async def urge(self, number: str, note: str, key: str) -> Json:
        """催单: the citizen asks again."""
        answer: Json = await self._intake.post(f"/v1/tickets/{number}/urges", {"note": note}, key)
        return answer

    async def judge(self, number: str, verdict: Json, key: str) -> Json:
        """来电评价: the citizen rings and says what came of it, without having been called."""
        answer: Json = await self._feedback.post(f"/v1/tickets/{number}/verdict", verdict, key)
        return answer

    async def progress(self, receipt: Receipt) -> Json:
        """办理进度, as the citizen sees it: number and code, no token."""
        path, code = f"/v1/tickets/{receipt.number}/progress", {"X-Ticket-Code": receipt.code}
        answer: Json = await self._in_public.get(path, headers=code)
        return answer

    # --- calling back --------------------------------------------------------------------------

    def receiver(self) -> FastAPI:
        """The app that takes requests to call; its address is feedback's JIESU_PHONE_SYSTEM_URL."""
        app = FastAPI(title="phone system 电话系统", docs_url=None, redoc_url=None)

        @app.post("/callbacks", status_code=202)
        async def ask(request: Request) -> Response:
            body = await request.body()  # the signature is over the bytes as they came
            try:
                self._webhook.verify(body, dict(request.headers), json_parse=False)
            except (WebhookVerificationError, ValueError):
                return Response(status_code=401)
            self._take(request.headers["webhook-id"], orjson.loads(body))
            return Response(status_code=202)

        return app

    def _take(self, id: str, asked: Json) -> None:
        if id in self._taken or asked.get("type") == "callback.test":  # a trial: dial nobody
            return
        self._taken.add(id)
        self._waiting[id] = Call(
            id=id,
            callback=asked["callback"],
            number=asked["number"],
            round=asked["round"],
            attempt=asked["attempt"],
            person=asked["person"],
            questions=asked["questions"],
            about=asked.get("about", "answer"),
            name=asked["contact"]["name"],
            phone=asked["contact"]["phone"],
        )

    async def dial(self) -> list[Call]:
        """Make the calls that wait, side by side, and report what came of each."""
        calls = sorted(self._waiting.values(), key=lambda call: (call.number, call.attempt))
        await asyncio.gather(*map(self._make, calls))
        return calls

    async def _make(self, call: Call) -> None:
        await self.report(call, self._citizen(call))
        del self._waiting[call.id]

    async def report(self, call: Call, outcome: Json) -> None:
        """回访结果: what came of one call."""
        path = f"/v1/callbacks/{call.callback}/outcome"
        await self._feedback.post(path, {"attempt": call.attempt} | outcome, key=call.id)
