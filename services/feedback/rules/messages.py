"""What the citizen is told (告知), at each turn of the ticket (BJ-15, JN-15; result_feedback).

The texts name the ticket, the unit and a date: never the person, never what the complaint says. A
message may be read by whoever holds the telephone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Literal, TypeAlias, TypedDict, Unpack

from services.feedback.rules.days import in_words
from services.feedback.rules.machine import Bilingual
from shared.events import Awaited, Occasion

# What an occasion says; a completion that puts the matter off until a day says another text, a third
# one where the day passed while the answer was audited, and so does more time that a law gives (JN-24(2)), or
# gives no more.
Text: TypeAlias = Occasion | Literal["put_off", "put_off_passed", "by_law", "law_withdrawn"]
TEXTS: Mapping[Text, Bilingual] = MappingProxyType(
    {
        "accepted": Bilingual(
            "【12345】您的诉求已受理，编号{number}，可凭编号和查询码查询进展。",
            "[12345] Your request was accepted as {number}. Follow it with your number and code.",
        ),
        "dispatched": Bilingual(
            "【12345】您的诉求（{number}）已交{unit}办理。",
            "[12345] Your request {number} was passed to {unit}.",
        ),
        "merged": Bilingual(
            "【12345】您的诉求（{number}）与其他群众反映的同一事项合并办理，结果将单独向您答复并回访。",
            "[12345] Others reported the same as your request {number}: it is handled together, and "
            "you will have an answer and a call of your own.",
        ),
        "awaited": Bilingual(
            "【12345】您的诉求（{number}）承办单位正在等待您{zh}，请与其联系；您的答复期限不变。",
            "[12345] For your request {number} the unit waits for {en} from you: please be in touch with it. "
            "The time in which you are answered stays as it is.",
        ),
        "extended": Bilingual(
            "【12345】您的诉求（{number}）经批准延期办理，新的期限为{on}，理由可凭编号查询。",
            "[12345] More time was granted for your request {number}: the new date is {on}.",
        ),
        "completed": Bilingual(
            "【12345】您的诉求（{number}）承办单位已答复，可凭编号和查询码查看。我们将回访，请您评价。",
            "[12345] Your request {number} was answered; read it with your number and code. "
            "We will call you to hear whether you agree.",
        ),
        "reopened": Bilingual(
            "【12345】{zh}，您的诉求（{number}）已退回重新办理。",
            "[12345] {en}, your request {number} is being handled again.",
        ),
        "closed": Bilingual(
            "【12345】您的诉求（{number}）已结案，感谢您的监督。",
            "[12345] Your request {number} is closed. Thank you.",
        ),
        "answered": Bilingual(
            "【12345】您的来电（编号{number}）热线已直接答复，可凭编号和查询码查看；如不满意请再次来电。",
            "[12345] The hotline has answered your call {number}; read it with your number and code, "
            "and call again if you are not content.",
        ),
        "not_accepted": Bilingual(
            "【12345】您的诉求（{number}）{zh}",
            "[12345] Your request {number}: {en}",
        ),
        "handed_over": Bilingual(
            "【12345】您反映的情况（{number}）已即时转{zh}处置，请保持电话畅通。",
            "[12345] What you reported ({number}) was handed to {en} at once; please stay reachable.",
        ),
        "split": Bilingual(
            "【12345】您来电反映的诉求（{number}）涉及{count}个事项，已分别交办，凭原编号和查询码可一并查看，"
            "各事项将分别答复并回访。",
            "[12345] Your call {number} holds {count} matters, handled one by one: follow them all with "
            "your number and code. Each will be answered, and you will be asked of each.",
        ),
        "by_law": Bilingual(
            "【12345】您的诉求（{number}）依照{law}{article}规定的时限办理，期限为{day}，可凭编号查询。",
            "[12345] Your request {number} is handled within the time that {law}, {article}, sets: by {day}.",
        ),
        "law_withdrawn": Bilingual(
            "【12345】您的诉求（{number}）此前告知的法定时限（{law}{article}）经核实不适用，期限恢复为{day}，可凭编号查询。",
            "[12345] The time set by {law}, {article}, does not apply to your request {number} after all: "
            "it is due by {day} again.",
        ),
        "put_off": Bilingual(
            "【12345】您的诉求（{number}）承办单位已答复：目前暂不具备办理条件，承诺在{day}前办结，具体措施可凭编号和"
            "查询码查看。我们将回访，听取您的意见，到期后再次回访核实。",
            "[12345] Your request {number} was answered: it cannot be settled yet, and the unit promises it "
            "by {day}; read what it will do with your number and code. We will call you to hear whether you "
            "agree, and again after that day.",
        ),
        "put_off_passed": Bilingual(
            "【12345】您的诉求（{number}）承办单位已答复，曾承诺在{day}前办结，该日期已过，是否办结我们将回访核实；"
            "答复可凭编号和查询码查看。",
            "[12345] Your request {number} was answered. The unit had promised it by {day}, and that day has "
            "passed: we will call you to hear whether it was done. Read the answer with your number and "
            "code.",
        ),
        "promise_moved": Bilingual(
            "【12345】您的诉求（{number}）承办单位原承诺在{before}前办结，经批准改为{day}前办结。理由：{words}",
            "[12345] Your request {number}, promised by {before}, is now promised by {day}. Reason: {words}",
        ),
        "promise_kept": Bilingual(
            "【12345】您的诉求（{number}）承办单位表示承诺事项已办结：{words} {zh}",
            "[12345] The unit says that what it promised for your request {number} is done: {words} {en}",
        ),
    }
)
# Why a round is opened again.
JUDGED = Bilingual("根据您的评价", "As you were not content")
# How the citizen is heard on a promise that is said to be kept.
CALLED = Bilingual("我们将回访核实，请您评价。", "We will call you to hear whether it is so.")
RINGS = Bilingual("如与实际不符，请来电反映。", "If that is not so, please call us.")
RESUMED = Bilingual("热线恢复办理", "As the hotline has taken it up again")
# Of a confidential demand: neither what it is about nor who handles it, for whoever holds the telephone.
NEUTRAL: Mapping[Text, Bilingual] = MappingProxyType(
    {
        "accepted": Bilingual(
            "【12345】您反映的事项已受理，编号{number}，可凭编号和查询码查询进展。",
            "[12345] The matter you raised was accepted as {number}. "
            "Follow it with your number and code.",
        ),
        "dispatched": Bilingual(
            "【12345】您反映的事项（{number}）已交办。",
            "[12345] The matter you raised, {number}, was passed on.",
        ),
        "merged": Bilingual(
            "【12345】您反映的事项（{number}）将与相关事项一并办理，结果单独向您答复。",
            "[12345] The matter you raised, {number}, is handled together with others; "
            "you will have an answer of your own.",
        ),
        "awaited": Bilingual(
            "【12345】您反映的事项（{number}）办理人员正在等待您{zh}，请与其联系；您的答复期限不变。",
            "[12345] For the matter you raised, {number}, those who handle it wait for {en} from you: please "
            "be in touch with them. The time in which you are answered stays as it is.",
        ),
        "extended": Bilingual(
            "【12345】您反映的事项（{number}）经批准延期办理，新的期限为{on}，理由可凭编号查询。",
            "[12345] More time was granted for the matter you raised, {number}: the new date is {on}.",
        ),
        "completed": Bilingual(
            "【12345】您反映的事项（{number}）已有答复，可凭编号和查询码查看。我们将回访，请您评价。",
            "[12345] The matter you raised, {number}, was answered; read it with your number and code. "
            "We will call you to hear whether you agree.",
        ),
        "reopened": Bilingual(
            "【12345】{zh}，您反映的事项（{number}）已退回重新办理。",
            "[12345] {en}, the matter you raised, {number}, is being handled again.",
        ),
        "closed": Bilingual(
            "【12345】您反映的事项（{number}）已结案，感谢您的监督。",
            "[12345] The matter you raised, {number}, is closed. Thank you.",
        ),
        "answered": Bilingual(
            "【12345】您反映的事项（{number}）已有处理意见，可凭编号和查询码查看。",
            "[12345] There is an answer to the matter {number}; read it with your number and code.",
        ),
        "not_accepted": Bilingual(
            "【12345】您反映的事项（{number}）已有处理意见，可凭编号和查询码查看。",
            "[12345] There is an answer to the matter {number}; read it with your number and code.",
        ),
        "handed_over": Bilingual(
            "【12345】您反映的事项（{number}）已有处理意见，可凭编号和查询码查看。",
            "[12345] There is an answer to the matter {number}; read it with your number and code.",
        ),
        "split": Bilingual(
            "【12345】您反映的事项（{number}）将分项办理，凭原编号和查询码可一并查看。",
            "[12345] What you raised, {number}, is handled part by part: follow all of it with your "
            "number and code.",
        ),
        "by_law": Bilingual(
            "【12345】您反映的事项（{number}）依照法律规定的时限办理，期限为{day}，依据可凭编号查询。",
            "[12345] The matter you raised, {number}, is handled within the time the law sets: by {day}; "
            "read which law with your number and code.",
        ),
        "law_withdrawn": Bilingual(
            "【12345】您反映的事项（{number}）此前告知的法定时限经核实不适用，期限恢复为{day}，可凭编号查询。",
            "[12345] The time set by law that you were told of does not apply to {number} after all: it is "
            "due by {day} again.",
        ),
        "put_off": Bilingual(
            "【12345】您反映的事项（{number}）已有答复，承诺在{day}前办结，可凭编号和查询码查看。我们将回访，听取您的"
            "意见，到期后再次回访核实。",
            "[12345] The matter you raised, {number}, was answered, and promised by {day}; read it with your "
            "number and code. We will call you to hear whether you agree, and again after that day.",
        ),
        "put_off_passed": Bilingual(
            "【12345】您反映的事项（{number}）已有答复，曾承诺在{day}前办结，该日期已过，是否办结我们将回访核实；"
            "答复可凭编号和查询码查看。",
            "[12345] The matter you raised, {number}, was answered. It had been promised by {day}, and that "
            "day has passed: we will call you to hear whether it was done. Read the answer with your number "
            "and code.",
        ),
        "promise_moved": Bilingual(
            "【12345】您反映的事项（{number}）原承诺在{before}前办结，经批准改为{day}前办结。",
            "[12345] The matter you raised, {number}, promised by {before}, is now promised by {day}.",
        ),
        "promise_kept": Bilingual(
            "【12345】您反映的事项（{number}）承诺事项已反馈办结。{zh}",
            "[12345] What was promised for the matter you raised, {number}, is said to be done. {en}",
        ),
    }
)

# What a unit waits for, in words that say nothing of the matter.
AWAITED: Mapping[Awaited, Bilingual] = MappingProxyType(
    {
        "documents": Bilingual("提供材料", "documents"),
        "appointment": Bilingual("约定时间", "an appointment"),
        "information": Bilingual("补充情况", "information"),
    }
)
BY_TEXT_MESSAGE = frozenset({"phone", "sms"})


class Details(TypedDict, total=False):
    """What a text may name beside the ticket: the unit that handles it, the new date, a reason or a
    line in both languages, how many matters; the promised day and whether it has ``passed``, the one before
    it, what a unit wrote; the law and the article that set the time, until ``day``, or, ``withdrawn``, set
    it no more.
    """

    unit: str
    on: date
    day: date
    passed: bool
    before: date
    words: str
    zh: str
    en: str
    count: int
    law: str
    article: str
    withdrawn: bool


def text_of(occasion: Occasion, details: Details) -> Text:
    """Which text an occasion has, by what is to be named in it."""
    if occasion == "completed" and "day" in details:
        return "put_off_passed" if details.get("passed") else "put_off"
    if "law" in details:
        return "law_withdrawn" if details.get("withdrawn") else "by_law"
    return occasion


def compose(
    text: Text, number: str, *, confidential: bool, **details: Unpack[Details]
) -> Bilingual:
    """The text of one occasion in both languages; of a confidential demand a neutral one (R-35)."""
    zh, en = (NEUTRAL if confidential else TEXTS)[text]
    named = {
        name: in_words(day)
        for name in ("day", "before")
        if isinstance(day := details.get(name), date)
    }
    in_zh, in_en = ({name: words[each] for name, words in named.items()} for each in (0, 1))
    return Bilingual(
        zh.format(number=number, **(details | in_zh)), en.format(number=number, **(details | in_en))
    )


def is_told(occasion: Occasion, *, has_contact: bool, reply_declined: bool) -> bool:
    """Whether this citizen gets this message.

    Without a contact there is nobody to tell. Who declined a reply (JN-24, WF-20) gets the number
    once, when the complaint is accepted, and nothing more.
    """
    return has_contact and (not reply_declined or occasion == "accepted")


def way_back(channel: str) -> str:
    """The channel a message goes out on: the one it came by; a call is answered by text message."""
    return "sms" if channel in BY_TEXT_MESSAGE else channel
