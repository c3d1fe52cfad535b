"""Every value in the county's files is read by code that decides, tells or shows something.

The rules of each service are run over every case the files speak of; then each leaf must have been
read. See tests/fixtures/leaves.py for what counts as a reading.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from operations.commands import rules as commands
from operations.runtime.reload import check
from services.dispatcher import stuck
from services.dispatcher.completion import views as completion_lists
from services.dispatcher.rules import arbitration, hotline_reasons, returns, whistling
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.audit import Answered, Demand, Other
from services.dispatcher.rules.audit import check as check_answer
from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.settings import Config as DispatcherConfig
from services.dispatcher.settings import Settings as Dispatcher
from services.feedback.rules import planning
from services.feedback.settings import Settings as Feedback
from services.feedback.webhook import Called, CallRequest
from services.intake import codes
from services.intake.rules import endings, likeness, upstream
from services.intake.rules.phones import read_phone
from services.intake.settings import Settings as Intake
from services.tracker.rules import extension
from services.tracker.rules.discrepancies import found
from services.tracker.rules.people import Around, people
from services.tracker.settings import Config as TrackerConfig
from services.tracker.settings import Settings as Tracker
from shared.errors import JiesuError
from shared.events import (
    CallbackAbout,
    ClockKind,
    CompletionKind,
    DiscrepancyKind,
    Role,
    TicketRegistered,
    TicketType,
    Urgency,
)
from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.folder import Folder
from tests.fixtures.leaves import Reads
from tests.fixtures.policy import CONFIG, edit
from tests.fixtures.scenes.handle_clock import MATTER, at, history, state
from tests.fixtures.scenes.honesty import everything

AREA = "610924110"


def ticket(rule: Rule, danger: str = "") -> TicketRegistered:
    """A ticket that has all a rule asks for; ``danger``: a word that reports one."""
    return TicketRegistered(
        type=next(iter(rule.types), TicketType.HELP),
        urgency=Urgency.NORMAL,
        topic=rule.topic or "other.unclear",
        title="题",
        content="".join((*rule.keywords[:1], danger)) or "内容",
        area=next(iter(rule.areas), AREA),
        channel="phone",
        flags=rule.flags[:1],
    )


def run_intake(folder: Folder) -> None:
    config = Intake(embedded=True).load(folder)
    codes.tables_of(config.codes, config.units, config.endings)
    for urgency in Urgency:
        config.custodian.rule_by(urgency, at("03-02 09:00"), config.calendar)
    config.custodian.latest_end(at("03-02 09:00"), config.calendar)
    assert config.place.counted(None, None, at("03-02 09:00"))
    config.keep_identity.before(at("03-02 10:00"))
    config.calendar.due(at("03-02 10:00"), config.limits.direct_answer)
    now, within = at("03-02 10:00"), config.endings.resume_within
    endings.check_resumable(now, within, config.calendar, now)
    assert at("03-02 10:00").astimezone(config.place.timezone)
    assert config.duplicates.window
    upstream.check(at("03-05 10:00"), "city", config.limits.upstream, now)
    for distance in (None, 700.0):
        likeness.is_candidate(likeness.Seen(False, True, distance, 0.5), config.duplicates)
    assert read_phone("4421234", config.place.area_code).contact
    assert [flag for flag in config.codes.flags if flag]
    now, calls = at("03-02 10:00"), config.calls
    assert calls.missed_since(now) < now < calls.pop_until(now)
    assert calls.ring_back.late_since(calls.left_since(now)) < now
    assert calls.ring_back.given_up([now.date(), *([at("03-03 10:00").date()] * 2)])


def audit_all(config: DispatcherConfig) -> None:
    """An answer in which everything is wrong, and one in which nothing is."""
    rules, calendar = config.audit, config.calendar
    light = Demand("路灯不亮", "滨江路路灯坏了")
    other = Other("20260302-000002", "HC", "社保怎么缴", "路灯已修复")
    for words, others in (("路灯已修复", []), ("路灯已修复", [other])):
        answer = Answered(
            number="20260302-000001",
            round=1,
            type=TicketType.COMPLAINT,
            urgency=Urgency.NORMAL,
            kind=CompletionKind.SOLVED,
            demanded=[light],
            public_answer=words,
            others=others,
        )
        rules.needs_person(answer, found := check_answer(answer, rules))
        assert bool(found) == bool(others)
    rules.audited_by(at("03-02 10:00"), calendar)
    rules.ruled_by(at("03-02 10:00"), calendar)
    rules.copied_since(at("03-02 10:00"))
    assert rules.silence == "passed"
    assert rules.unit_clock == "stands_still_once"
    rules.pauses_for(Urgency.NORMAL, config.returns)
    for code in config.codes.unsolved:
        assert completion_lists.why_unsolved(config, code)


def run_waits(config: Any) -> None:
    rules, asked_at = config.returns.awaiting_citizen, at("03-02 10:00")
    assert rules.ruled_by(asked_at, config.calendar) < rules.until(asked_at, config.calendar)


def run_dispatcher(folder: Folder) -> None:
    config = Dispatcher(embedded=True).load(folder)
    assert config.suggestions.min_confidence
    assert not config.suggestions.automatic
    audit_all(config)
    assert config.grassroots.blocks
    assert config.grassroots.copy_to_supervisor_when_unit_is_town
    run_whistles(config)
    words = {danger.id: danger.words[0] for danger in config.dispatching.urgency.dangers}
    for rule in config.dispatching.matcher.rules:
        for danger in rule.dangers or [""]:
            config.dispatching.decide(ticket(rule, words.get(danger, "")))
    for unit in config.units.units:
        stuck.reached_by(config, unit.code)
    for urgency, ground, suggested in product(Urgency, config.grounds, ("CG", None)):
        until = config.returns.until(at("03-02 10:00"), urgency, config.calendar)
        asked = returns.Asked(ground, "条例第四条", suggested)
        open_order = (AssignmentStatus.DISPATCHED, "HC", urgency, False)
        context = returns.ReturnContext(*open_order, [], until)
        with suppress(JiesuError):
            returns.request_return(
                context, asked, config.returns, config.grounds, at("03-02 10:00")
            )
        returns.pauses(context, asked, config.returns)
    config.returns.ruled_by(at("03-02 10:00"), config.calendar)
    run_waits(config)
    assert config.returns.silence == "refused"
    run_arbitration(config)
    matters = [(f"{field.code}.x", ()) for field in folder_codes(folder).fields]
    for kind, urgency, redo, role, (topic, flags) in product(
        TicketType, Urgency, (True, False), Role, matters
    ):
        of = config.limits.kind(kind, urgency, topic, flags)
        config.limits.dispatch(of)
        config.limits.stages(of, redo=redo, role=role, upstream_due=at("03-05 10:00"))
        config.limits.laws(of)
    calendar = config.calendar
    for year in (2024, 2025, 2026):
        calendar.explain(at("01-01 09:00").replace(year=year), Limit(200, "wd"))


def run_whistles(config: DispatcherConfig) -> None:
    for urgency in Urgency:
        assert config.grassroots.attend(urgency)
    for by, to in product(config.units.units, repeat=2):
        with suppress(JiesuError):
            whistling.check_kinds(config.grassroots.whistle, by, [to])


def folder_codes(folder: Folder) -> Any:
    return folder.read(Intake.files).codes


def run_arbitration(config: DispatcherConfig) -> None:
    ladder, words = config.arbitration, "紫职责〔2026〕3号"
    assert arbitration.opens(1, ladder)
    for number in range(1, len(ladder.ladder) + 1):
        ladder.due(number, at("03-02 10:00"), config.calendar)
        step = ladder.step(number)
        assert arbitration.parties(step.invites, ()) == list(step.invites)
        arbitration.check_ruler(step, step.role, words, words)
        hotline_reasons.arbitrated(step.zh, step.en, words)
    assert (ladder.silence, ladder.charges) == ("raise", True)


def run_tracker(folder: Folder) -> None:
    policy = Tracker(embedded=True).load(folder)
    for kind, urgency, round, role in product(ClockKind, Urgency, (1, 5), Role):
        limit = None if kind in (ClockKind.DISPATCH, ClockKind.CITIZEN) else "5wd"
        befell = history(kind=kind, urgency=urgency, round=round, role=role, limit=limit)
        for recused in ((), ("RXB",)):
            policy.terms(befell, MATTER, recused)
    for rung in range(1, 8):
        policy.title(rung)
        policy.answer_due(rung, at("03-02 10:00"))
        policy.press_at(rung, at("03-02 10:00"), None, None)
    assert [rung.rung for rung in policy.rules.ladder if rung.led_by_head] == [3]
    assert all(rung.to for rung in policy.rules.ladder)
    run_telling(policy)
    assert policy.rules.figures.on_time_by == "due"
    assert policy.rules.figures.legal_limit
    standing = policy.place.appraisal.standing("HC", policy.units.unit("HC"), 9)
    assert (standing.kind, standing.few) == ("town", True)
    cluster = policy.rules.cluster_of_reporters
    assert cluster
    assert cluster.reached([at("03-02 10:00")] * 5)
    policy.title(cluster.then)
    assert {each.kind for each in found(everything(), policy.rules.honesty)} == {*DiscrepancyKind}
    assert policy.rules.honesty.needed(DiscrepancyKind.LAST_MINUTE)
    assert policy.rules.honesty.needed(DiscrepancyKind.SIGNED_LATE)
    promise = policy.table.promise
    assert promise
    assert promise.latest(at("03-02 10:00").date()) > promise.next_review(at("03-02 10:00")).date()
    assert policy.rules.extension.margin(Limit.parse("24h")).natural
    second = policy.rules.extension.second
    assert second is not None
    assert second.max.amount
    assert policy.rules.told.offices(second.by)
    for flags in ((), ("enterprise",)):
        asking = extension.Asking(3, state(), Urgency.NORMAL, False, (), at("03-04 10:00"))
        extension.check(
            asking, MATTER.model_copy(update={"flags": flags, "type": "complaint"}), policy
        )


def run_telling(policy: TrackerConfig) -> None:
    rules, units = policy.rules, policy.units
    around = Around(rules.told, units, ())
    for unit in units.units:
        people(("unit_deputy", "unit_head"), around._replace(unit=unit.code))
    people(rules.joint_supervision, around)
    assert rules.risk_of_incident
    people(["county_leader", rules.risk_of_incident.to], around)
    assert rules.risk_of_incident.acknowledge_within == Limit.parse("1h")
    for urgency in Urgency:
        rules.told.not_before(at("03-02 22:00"), urgency, policy.calendar.tz)
    people(rules.dispatch_due_missed, around)
    assert (rules.leader_instruction, rules.barred_return, rules.stale_knowledge) == (2, 3, 1)


def run_feedback(folder: Folder, reads: Reads) -> None:
    config = Feedback(embedded=True).load(folder)
    policy, now = config.policy, at("03-02 10:00")
    planning.first_attempt(now, config.times)
    planning.next_attempt([now], now + timedelta(hours=1), config.times)
    policy.finish_due(now, config.calendar)
    policy.reopen_until(now, config.calendar)
    policy.needs_person(report=True, supervised=True, redo=True)
    policy.closes_at_once(TicketType.COMMENDATION, has_contact=True, reply_declined=True)
    request = CallRequest(
        type="callback.test", callback=UUID(int=1), number="x", round=1, attempt=1, person=False,
        questions=policy.questions, contact=Called(name=None, phone="12345"),
    )  # fmt: skip
    reads.sent(request, request.model_dump())
    day = now.date()
    for about in (CallbackAbout.PUT_OFF, CallbackAbout.PROMISE):
        request = request.model_copy(update={"questions": policy.questions_about(about, day)})
        reads.sent(request, request.model_dump())


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    return Reads(monkeypatch)


def run_all(reads: Reads, path: Path) -> None:
    folder = check(path)
    commands.in_order(folder)
    run_intake(folder)
    run_dispatcher(folder)
    run_tracker(folder)
    run_feedback(folder, reads)


def test_every_leaf_is_read(reads: Reads) -> None:
    run_all(reads, CONFIG)
    assert len(reads.leaves) > 2_000
    assert sorted(reads.leaves - reads.read) == []


def test_every_leaf_of_hours_by_date_and_local_days_is_read(reads: Reads, tmp_path: Path) -> None:
    county = shutil.copytree(CONFIG, tmp_path / "county")
    summer = 'seasons: [{from: "05-01", to: "09-30", duty_hours: [{from: "08:00", to: "12:00"}]}]'
    period = 'period: {start_day: 19, day_start: "12:00"}'
    edit(county / "place.yaml", "timezone: Asia", f"{summer}\n{period}\ntimezone: Asia")
    own = 'duty_hours: [{from: "09:00", to: "17:00"}]'
    edit(county / "units.yaml", "code: HC, ", f"code: HC, {own}, {summer}, ")
    (county / "calendar/local.yaml").write_text(
        "days: [{date: 2026-07-14, name: 防汛停工, off: true, paper: 文1号, by: 县政府, units: [HC]}]"
    )
    run_all(reads, county)
    assert sorted(reads.leaves - reads.read) == []


def test_a_leaf_nobody_reads_is_seen(reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that has its name from another that is read, and one that only a check looks at."""
    monkeypatch.setattr(stuck, "reached_by", lambda *_: None)
    run_all(reads, CONFIG)
    unread = {place.rpartition(".")[2] for _, place in reads.leaves - reads.read}
    assert unread == {"delivery", "liaison"}
