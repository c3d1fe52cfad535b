"""docs/errors.md: every problem a caller can meet, what it means, and what helps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from operations.contracts.facts import prose
from operations.runtime.registry import NAMES, part
from shared.errors import JiesuError, named_errors

HEAD = """\
# 错误 Errors

Every refusal of the four APIs is a problem document (RFC 9457, `application/problem+json`). Written
by `make contracts` from the error classes: change those, not this page.

```json
{
  "type": "/errors/move-refused",
  "title": "当前状态不允许此操作 The status does not allow this move",
  "status": 409,
  "detail": "当前状态 closed 不允许 complete；可行的操作：无。…",
  "current_status": "closed",
  "allowed": []
}
```

- `type` is part of the interface: programs decide by it, or by its last word. It is relative to the
  service that answers, which says at that address what it means; the same word is a heading here.
- `title` and `detail` are for people and may change. They name fields, never values.
- `field` is the first field at fault, `errors` names all of them; `allowed` and `nearest` help on.
- 429 and 503 carry `Retry-After` in seconds. Repeat those, a 500 and a broken connection with the
  same `Idempotency-Key`; repeat nothing else unchanged.
"""

FILE = "operations/contracts/errors.py"
# By slug: what the caller does about it, in Chinese and English. A test keeps it complete.
CURES = {
    "internal-error": "用同一幂等键稍后重试；仍失败时把时刻与路径告知运维。"
    "Repeat with the same key later; if it stays, give the operators the moment and the path.",
    "malformed": "按 errors 逐项改正后再发。Mend what errors names, then send again.",
    "unknown-code": "从 GET /v1/codes/{table} 取代码；nearest 是最接近的。"
    "Take codes from GET /v1/codes/{table}; nearest names the likely ones.",
    "ambiguous-code": "发 allowed 中的一个代码，或在名称前写明上级名称。"
    "Send one of the codes in allowed, or the name with those of its fields before it.",
    "unknown-parameter": "改用 nearest 或 allowed 中的参数。Use the parameter in nearest, or one of allowed.",
    "idempotency-key-reused": "每个新请求用新键；重试时原样重发。"
    "A new request needs a new key; a repeat must be sent unchanged.",
    "source-number-taken": "本诉求未登记：同一件事的重发须原样由同一调用方发出；另一件事换编号，或不填。"
    "The complaint is NOT registered: a repeat comes from the same caller with the same title and "
    "content; another matter needs another number, or none.",
    "own-draft": "请未参与起草的另一人发布。Let somebody publish it who wrote nothing of it.",
    "catalogue-refused": "按 faults 逐条修改草稿，再校核、发布。"
    "Mend the draft by faults, check it, and publish it then.",
    "outdated-draft": "以 latest 为准重新写入（POST …/content），再发布。"
    "Write the draft anew on top of latest (POST …/content), then publish it.",
    "changed-draft": "重新阅读草稿，以其 digest 发布。Read the draft again, and publish with its digest.",
    "effective-too-late": "生效时间不晚于 latest。Give a moment not after latest.",
    "effective-too-early": "生效时间不早于 earliest，或不填。Give a moment not before earliest, or none.",
    "no-catalogue": "按 faults 的行号逐条改正。Mend the lines that faults names.",
    "policy-refused": "县规则目录已变：按 faults 改写草稿（POST …/content），再发布。"
    "The folder changed: write the draft anew by faults (POST …/content), and publish it then.",
    "no-policy": "按 faults 的文件与行号逐条改正。Mend the files and lines that faults names.",
    "names-nobody": "由派单员在草稿中自行写明承办单位：POST /v1/catalogue/drafts。"
    "Write the rule yourself, with its lead, in a draft.",
    "rule-exists": "换一个编号，或用 POST …/content 改写整份。"
    "Give it another id, or write the whole draft anew (POST …/content).",
    "bad-cursor": "从不带 after 的第一页重新开始。Begin again at the first page, without after.",
    "supplements-full": "另行登记一张工单，原工单号填原工单编号；催促请用催单。"
    "Register another ticket with `follows`, this one's number; to press, urge it.",
    "unauthenticated": "携带有效令牌：Authorization: Bearer …；过期请运维重新签发。"
    "Send a valid token; ask the operators for a new one when it has expired.",
    "forbidden": "换用 detail 所列角色的令牌。Use a token of a role that detail names.",
    "not-found": "核对编号；他人的工单同样答 404。Check the number; what is not yours is a 404 too.",
    "no-such-path": "核对路径与服务端口，见 /docs。Check the path and which service it is of; see /docs.",
    "method-not-allowed": "改用响应头 Allow 所列方法。Use a method the header Allow names.",
    "other-refusal": "按状态码处理。Go by the status.",
    "move-refused": "先读取当前状态；allowed 为可行的操作。Read it again; allowed says what can be done now.",
    "merge-refused": "按 type 所指原因处理。Go by the reason that type names.",
    "merge-into-itself": "into 填另一张工单的编号。Name another ticket in into.",
    "merge-cyclic": "两单已是同一件工作，无需再并。They are one piece of work already.",
    "already-merged": "先对本单 unmerge，再并入新的工单。Unmerge it first, then merge it anew.",
    "others-merged": "改为将 into 所指工单并入本单。Merge the ticket in into into this one instead.",
    "merge-too-late": "告知诉求人该单的答复；本单照办。Tell the citizen that one's answer; this one goes on.",
    "merge-kept-here": "先转派或直接答复，再说并单。Send it to a unit or answer it, then see.",
    "merge-one-call": "分别办理。Handle each for itself.",
    "split-without-remainder": "在 remainder 写明原工单保留的事项。Say in remainder which matter stays.",
    "split-without-matters": "在 matters 写明分出的事项；只有一个事项的不用拆分。"
    "Say in matters what is taken off; one matter needs no split.",
    "split-too-late": "另行登记新的诉求。Register what is left as a new ticket.",
    "split-merged": "先撤销并单，再拆分。Unmerge it first, then split it.",
    "not-for-towns": "派给职能部门；确需由镇牵头的，由督办人员批准：先申请（POST …/approvals），批准后再派。"
    "Assign a department, or ask a supervisor by POST …/approvals and assign it once that is granted.",
    "nothing-to-revise": "先更正日历（calendar local 或 calendar import），再拟定更正。"
    "Mend the calendar first (calendar local, calendar import), then propose the revision.",
    "own-approval": "请另一人批准。Have another person approve it.",
    "supervision-by-rule": "消除发起督办的事由，或等其随派单办结而解除。"
    "See to its cause, or let it be closed with its order.",
    "supervision-stands": "等待 supervision 所指督办的答复，或上升一级。"
    "Wait for the answer to the one named in supervision, or press one rung higher.",
    "instruction-stands": "等待 supervision 所指督办的答复。"
    "Wait for the answer to the one named in supervision.",
    "knowledge-stands": "等待 supervision 所指督办的答复。"
    "Wait for the answer to the one named in supervision.",
    "put-right-missing": "知识库失效督办填写 put_right，其他督办去掉它。"
    "Fill put_right where an entry of the knowledge base was stale, and leave it out elsewhere.",
    "referral-takes-two": "由一名督办员提出移送，另一名批准。"
    "One supervisor proposes it at POST /v1/assignments/{assignment}/referrals, another grants it.",
    "referral-waits": "由另一名督办员先作决定。Let another supervisor decide the one named in referral.",
    "risk-acknowledged": "以 taken_up_by 的登记为准，直接与其联系。Turn to whoever taken_up_by names.",
    "supervision-answered": "等待督办员审定。Wait for the ruling on the answer given at answered_at.",
    "leader-missing": "填写 led_by 和 led_by_post。Give name and post of the head who led in person.",
    "answer-due-wrong": "给出晚于现在、不超过 latest 的时刻。Name a moment that lies ahead, by latest.",
    "trial-runs": "稍后重试；也可分页试算较短的时段。Try again later; a shorter period takes less time.",
    "merge-needs-consent": "征得诉求人同意后带 consent: true 重发。Ask the citizen, then send consent: true.",
    "merge-needs-reported": "先注明被举报对象 reported，再并单。State whom it accuses, then merge.",
    "not-merged": "无需操作。Nothing to undo.",
    "in-other-work": "对 number 所指工单指派。Assign the ticket that number names.",
    "clock-is-real": "仅演示和测试可拨钟：JIESU_CLOCK=simulated。Only demos and tests step a clock.",
    "clock-runs-forward": "给出更晚的时刻。Name a later moment.",
    "not-json": "以 UTF-8 编码发送 JSON；GBK 须先转换。Send JSON in UTF-8; convert GBK first.",
    "other-media": "加上 Content-Type: application/json，charset 只能为 utf-8。"
    "Say Content-Type: application/json; no other charset than utf-8.",
    "too-large": "缩短正文，或分批提交。Shorten the body, or split the batch.",
    "too-slow": "检查网络后重试。Look at the network, then repeat.",
    "too-many": "按 Retry-After 等待；持令牌的请求不计入匿名限额。Wait as Retry-After says; show a token.",
    "busy": "按 Retry-After 等待，再用同一幂等键重试。"
    "Wait as Retry-After says, then repeat with the same Idempotency-Key.",
    "database-away": "用同一幂等键重试。Repeat with the same Idempotency-Key.",
    "stopping": "用同一幂等键重试。Repeat with the same Idempotency-Key.",
    "not-ready": "稍后再试；detail 说明原因。Wait; detail says what for.",
    "revocations-unreadable": "运维：修复 revoked.txt 的权限。Operators: mend the mode of revoked.txt.",
    "seal-broken": "运维：核对保险库密钥与备份。Operators: look at the vault's keys and the backup.",
    "seal-key-missing": "运维：把该密钥放回 JIESU_VAULT_KEYS。"
    "Operators: put the key back into JIESU_VAULT_KEYS.",
    "ticket-open": "结案后再删除，或由有权者强制。Erase when it is closed, or have it forced.",
    "identity-erased": "无法恢复，不再重试。It cannot be had back: do not repeat.",
    "custodian-needed": "先提交查阅申请（POST /v1/tickets/{number}/contact-requests），获批后再查看。"
    "Ask the custodian first (POST /v1/tickets/{number}/contact-requests), read once it is granted.",
    "grant-out-of-bounds": "until 与 hours 择一填写，不晚于 latest。"
    "Say either until or hours, not after latest.",
    "names-unknown": "什么都没有登记；按 Retry-After 稍后用同一幂等键原样重发。"
    "Nothing was done; send the same again after Retry-After.",
    "duty-unknown": "什么都没有打开；按 Retry-After 稍后重试。"
    "Nothing was opened; ask again after Retry-After.",
    "recused": "另选单位；或先更正被反映对象（reported），确与行政机关无关的注明 nobody。"
    "Choose another unit; or first correct whom it is about, or state nobody.",
    "citizen-not-contacted": "先联系诉求人并登记，再办结。Contact the citizen and record it first.",
    "contact-not-on-record": "先登记联系记录，或如实填写 contacted。"
    "Record the contact, or say there was none.",
    "contact-time-wrong": "更正联系时间。Correct the moment of the contact.",
    "co-handlers-open": "等待 units 所列协办单位答复；逾期不答复的，在 without 中列明后办结。"
    "Wait for the co-handlers in units, or name in without those that let their limit pass.",
    "co-handler-in-time": "等到 units 所列时刻。Wait until the moments in units.",
    "co-handler-is-lead": "把主办单位从协办单位中去掉。Take the lead out of the co-handlers.",
    "area-missing": "填写区域代码或名称，见 GET /v1/codes/areas。Say the area by code or name.",
    "complex-in-vain": "按原时限办理；确需延长的由承办单位申请延期。"
    "Keep to its limit; its unit may ask for an extension.",
    "legal-limit-not-for-urgency": "按紧急件时限办理。Handle it within the time of what is urgent.",
    "legal-limit-in-vain": "按现有时限办理，或核对法律规定的时限。"
    "Keep to the present limit, or look the law's up again.",
    "upstream-due-wrong": "核对时刻、来源编号和渠道；上级平台没有要求的，不填 upstream_due。"
    "Check moment, source number and channel; leave it out where the platform named none.",
    "extension-past-upstream": "少申请几天；确需更多时间的，先商上级平台。"
    "Ask for less; for more, ask the platform that passed it on.",
    "not-below": "从 allowed 中选择本单位的下级单位；其他单位请派单员增加协办。"
    "Choose one of allowed; for any other unit ask the desk for a co-handler.",
    "not-handed-down": "本单位办理，或请派单员增加协办。Handle it, or ask the desk for a co-handler.",
    "may-not-whistle": "请派单员增加协办。Ask the desk for a co-handler.",
    "not-whistled-for": "从 allowed 所列类别中选择单位；其他单位请派单员增加协办。"
    "Choose a unit of a kind in allowed; for any other ask the desk for a co-handler.",
    "attend-time-wrong": "更正报到时间。Correct the moment of coming.",
    "not-attended": "先登记报到：POST /v1/assignments/{assignment}/attend。Say first who came.",
    "works-already": "无需再交办；如需调整请派单员处理。Nothing to do; to change it ask the desk.",
    "handed-down": "与上级单位 unit 联系，由其收回。Ask the unit named in unit to take it back.",
    "promised-date-missing": "填写今日或以后的承诺日期。Give a promised date, today or later.",
    "promised-date-too-far": "承诺不晚于 latest 的日期。Promise a day not after latest.",
    "promised-date-wrong": "改为晚于原日期、不晚于 latest 的日期。"
    "Choose a day after the present one and not after latest.",
    "promise-moved-before": "按现承诺日期办理，办成后登记兑现。"
    "Keep the day as it is, and say when it is done.",
    "promised-day-passed": "尽快办理并登记兑现，逾期记录保留。"
    "Do it and say so: POST /v1/promises/{assignment}/fulfilment.",
    "unsolved-reason-missing": "填写未解决原因。Say why it is not solved.",
    "kind-contradicted": "使办结类型与是否解决一致。Make the kind and solved agree.",
    "returned-before": "由本单位办理，或请派单员改派。Handle it, or ask the desk to re-dispatch.",
    "return-after-ruling": "按裁定办理。Handle it as ruled.",
    "not-under-audit": "刷新 GET /v1/audits：已审核、已撤单或已改派。"
    "Read the list again: others were quicker, or the citizen withdrew.",
    "no-wait": "刷新 GET /v1/waits：已裁定、已结束或从未申请。"
    "Read the list again: it was ruled on, is over or was never asked for.",
    "wait-not-offered": "继续办理，或在期限内申请延期。Go on with it, or ask for an extension in time.",
    "waited-before": "继续办理，或在期限内申请延期。Go on with it, or ask for an extension in time.",
    "wait-too-late": "继续办理。Go on with it: what is overdue stays overdue.",
    "no-request-pending": "刷新 GET /v1/completion-requests：已裁定、已撤回或已答复。"
    "Read the list again: it was ruled on or taken back, or the unit answered.",
    "request-pending": "等待裁定，或先撤回（completion-withdrawal）。"
    "Wait for the ruling, or take the request back first.",
    "request-refused": "继续办理，如实答复。Go on, and answer the citizen.",
    "in-arbitration": "等待裁决；有关单位可陈述，由本级角色录入裁决（arbitration 为其编号）。"
    "Wait for the ruling: who is heard may state its words, the role of its step rules.",
    "stated-before": "等待裁决，或在下一级再作陈述。"
    "Wait for the ruling, or for the next step, where it is heard again.",
    "return-granted": "派给其他单位；确需再派的，在 overrules 写明理由。"
    "Assign another unit, or say in overrules what overrules the ruling.",
    "ruling-names": "派给裁决确定的单位；确需改派的，在 overrules 写明理由。"
    "Assign the unit that was named, or say in overrules what overrules the ruling.",
    "approval-pending": "请另一人先对 approval 所指的申请作出决定；申请人可自行撤回（不批准）。"
    "Have the one named in approval decided first; who asked may refuse it.",
    "more-urgent-waits": "先撤销并单，或更正 number 所指工单的紧急程度。"
    "Part them first, or have the urgency of the one named in number put right.",
    "suggested-unit-missing": "在 suggested_unit 写明应由哪个单位办理。Say in suggested_unit whose it is.",
    "return-on-redo": "重办后答复。Do it again and answer.",
    "return-too-late": "由本单位办理，或请派单员改派。Handle it, or ask the desk to re-dispatch.",
    "wrong-attempt": "上报 expected_attempt 那一次。Report on the attempt expected_attempt names.",
    "call-not-due": "到时间再拨打；此前只登记来电答复者。"
    "Call when it is due; before that report only a citizen who rings back.",
    "already-reported": "以先登记者为准，不再重试。The first report stands: do not repeat.",
    "callback-over": "不再拨打，不再重试。Call no more, and do not repeat.",
    "consent-missing": "在 consent 注明诉求人如何同意，或保持保密。"
    "Say in consent how the citizen agreed, or leave it confidential.",
    "nothing-to-judge": "登记补充或催单；办结答复后再评价。"
    "Note a supplement or an urging; judge it when the unit has answered.",
    "already-judged": "无异议则无需再报；未解决请答 solved=no。"
    "Without an objection nothing need be said again; to object, answer solved=no.",
    "not-reopened": "另行登记一张工单，原工单号填本工单编号。"
    "Register a new ticket whose follows is this one.",
    "answers-missing": "把 missing 所列的问题问完再报。Ask the questions in missing, then send all answers.",
    "nothing-to-extend": "该派单无需延期。There is nothing to extend.",
    "extension-asked-before": "在已有期限内办结。Complete it within the time there is.",
    "extension-not-for-urgency": "在已有期限内办结。Complete it within the time there is.",
    "extension-not-on-redo": "在已有期限内办结。Complete it within the time there is.",
    "extension-too-late": "下次在 latest 之前申请。Ask before latest next time.",
    "extension-ruled-elsewhere": "由 office 审批；为空的由督办员审批。"
    "Leave it to the office; to a supervisor where it is empty.",
    "more-days-than-asked": "批准天数不超过 asked。Grant no more days than were asked for.",
    "extension-too-long": "天数不超过 most。Ask for no more days than most.",
    "unit-holds-ticket": "先由派单员收回派单：派单服务 POST /v1/tickets/{number}/recall，再办。"
    "First the desk takes the order back: the dispatcher's POST /v1/tickets/{number}/recall.",
    "ending-final": "另行登记一张工单，正文写明原工单编号。"
    "Register another ticket that names this one's number.",
    "already-rated": "一次通话只评一次，以先评为准。A call is rated once; the first rating stands.",
    "extension-over-cap": "总时限不超过 cap。Ask for less: all together no more than cap.",
    "own-reform": "请另一人批准。Let another person approve it.",
    "reform-circle": "检查谁承接谁：不能互相承接。See who follows whom: no unit may come back to itself.",
    "reform-not-in-units": "先在 units.yaml 写明该单位的 successors 并 make reload，再拟定方案。"
    "Write its successors into units.yaml and reload, then propose it.",
    "reform-pending": "撤回 reform 所指的方案，或等其生效。Withdraw the one named in reform, or wait for it.",
    "unit-dissolved": "改用 successors 中的单位。Name one of the units in successors.",
    "unit-split": "改用 allowed 中的单位。Name one of the units in allowed.",
    "reform-without-remainder": "在 remainder 写明其余事项的承接单位。"
    "Name in remainder who gets what no part names.",
    "being-transferred": "一秒后用同一幂等键重试。Repeat with the same key in a second.",
}


def page_of_errors() -> str:
    """docs/errors.md."""
    lines = [HEAD]
    for status, errors in groupby(known(), key=lambda error: error.status):
        lines.append(f"## {status}\n")
        lines.extend(line for error in errors for line in _entry(error))
    return "\n".join(lines)


def known() -> Sequence[type[JiesuError]]:
    """Every error of every service, by status and slug."""
    for name in NAMES:
        part(name)
    ours = {"shared", "services"}  # a test may have errors of its own
    found = [error for error in named_errors() if error.__module__.partition(".")[0] in ours]
    return sorted(found, key=lambda error: (error.status, error.slug))


def services_of(error: type[JiesuError]) -> Sequence[str]:
    """Who answers with it: the service whose rule it is, or all."""
    top, _, rest = error.__module__.partition(".")
    return [rest.partition(".")[0]] if top == "services" else NAMES


def _entry(error: type[JiesuError]) -> Iterator[str]:
    who = services_of(error)
    yield f"### {error.slug}\n"
    yield f"**{error.title}**\n"
    yield f"- 含义 meaning: {prose(error)}"
    yield f"- 处置 cure: {_cure(error)}"
    yield f"- 服务 services: {'全部 all' if who == NAMES else ', '.join(who)}\n"


def _cure(error: type[JiesuError]) -> str:
    """What helps. Raises LookupError for an error nobody said it of."""
    if error.slug not in CURES:
        raise LookupError(f"say what helps against {error.slug}: a line in CURES, {FILE}")
    return CURES[error.slug]
