"""Which kind of file may import what: the table test_imports.py holds files against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class May:
    """What one kind of file may import: files of its own service, of shared, packages of others.

    ``shared=None`` is all of shared. ``pure`` files get no part of the library that does I/O.
    """

    own: frozenset[str]
    others: frozenset[str]
    shared: frozenset[str] | None = None
    pure: bool = False


def names(words: str) -> frozenset[str]:
    return frozenset(words.split())


PURE = names(
    "caller errors events jurisdiction.calendar jurisdiction.codes jurisdiction.limits"
    " jurisdiction.gazetteer jurisdiction.sections jurisdiction.urgency jurisdiction.wording"
    " jurisdiction.succession security.masking security.numbers security.reading"
)
STORAGE = names("sqlalchemy sqlmodel pydantic orjson uuid6")
MAY: dict[str, May] = {
    "main": May(
        names("routes consumers jobs models settings shares stuck feed vault webhook catalogues"),
        names("fastapi"),
        names("app part service"),
    ),
    "routes": May(
        names(
            "usecases records views figures verdicts correction_routes feed codes call_routes search"
            " calls claims registration shares schemas settings ending_routes contact_routes neighbours"
            " duty_routes due_routes returning co_handling_routes suggestion_routes figure_routes"
            " duplicates merging list_routes completion_routes arbitration_routes catalogue_routes"
            " grassroots splitting split_routes reform_routes"
        ),
        names("fastapi pydantic orjson"),
    ),
    "consumers": May(
        names(
            "usecases corrections merging endings feed clocks returns arbitration audits settings"
            " splitting transfers"
        ),
        names(""),
    ),
    "jobs": May(
        names(
            "usecases merging returning arbitration auditing records callers search calls phone feed"
            " settings readlog catalogues transferring following"
        ),
        names(""),
    ),
    "usecases": May(
        names(
            "rules models records views schemas settings registration vault rights clockwork orders"
            " merging feed endings search returning co_handling suggestions arbitration completing"
            " auditing catalogues grassroots splitting alarms following"
        ),
        STORAGE,
    ),
    "records": May(names("rules models arbitration_models settings"), STORAGE),
    "views": May(names("rules models records schemas list_schemas search settings"), STORAGE),
    "search": May(names("rules models records settings"), STORAGE),
    "stuck": May(
        names("following rules models records settings call_models arbitration_models"), STORAGE
    ),
    "registration": May(
        names(
            "call_records claims sources end_records rules models records views schemas search settings"
        ),
        STORAGE,
    ),
    "endings": May(
        names(
            "end_records usecases rules models records vault views schemas ending_schemas settings"
        ),
        STORAGE,
    ),
    "end_records": May(names("rules models records schemas settings"), STORAGE),
    "ending_routes": May(
        names("endings ending_views malicious records schemas ending_schemas settings"),
        names("fastapi pydantic"),
    ),
    "malicious": May(names("rules models records vault ending_schemas settings"), STORAGE),
    "ending_schemas": May(
        names("rules schemas"), names("pydantic"), PURE | names("http.fields http.problems")
    ),
    "ending_views": May(
        names("malicious rules models records views schemas ending_schemas settings"), STORAGE
    ),
    "sources": May(names("claims records rules sealing settings"), STORAGE),
    "claims": May(names("naming records rules schemas settings"), STORAGE),
    "shares": May(names("settings"), names("")),
    "naming": May(names("schemas settings"), names("pydantic")),
    "vault": May(
        names("call_records rules models records readlog sealing settings call_models"), STORAGE
    ),
    "callers": May(names("rules models records readlog schemas settings vault"), STORAGE),
    "call_routes": May(
        names(
            "callers calls call_lists call_schemas rules records schemas settings contact_schemas"
        ),
        names("fastapi pydantic"),
    ),
    "readlog": May(names("rules models records settings"), STORAGE),
    "rights": May(
        names("rules models records readlog vault schemas settings contact_schemas"), STORAGE
    ),
    "contact_routes": May(
        names("rights neighbours rules records schemas contact_schemas"), names("fastapi pydantic")
    ),
    "neighbours": May(names("settings"), names("httpx pydantic")),
    "clocks": May(names("models records"), STORAGE),
    "lists": May(
        names("rules models records views narrowing list_schemas schemas settings"), STORAGE
    ),
    "narrowing": May(names("models records list_schemas"), STORAGE),
    "list_routes": May(names("lists views list_schemas schemas records"), names("fastapi")),
    "list_schemas": May(names("schemas rules"), names("pydantic"), PURE | names("http.fields")),
    "co_handling": May(
        names("following rules models records views schemas orders merging returning"), STORAGE
    ),
    "completing": May(
        names("rules models records views schemas completion_schemas orders returning"), STORAGE
    ),
    "auditing": May(
        names("rules models records views schemas completion_schemas orders completing"), STORAGE
    ),
    "completion_lists": May(
        names(
            "rules models records views narrowing lists list_schemas completion_schemas settings"
        ),
        STORAGE,
    ),
    "completion_routes": May(
        names(
            "auditing completing completion_lists completion_schemas list_routes schemas records"
        ),
        names("fastapi pydantic"),
    ),
    "completion_schemas": May(
        names("list_schemas schemas rules"), names("pydantic"), PURE | names("http.fields")
    ),
    "audits": May(names("clockwork rules models records"), STORAGE),
    "co_handling_routes": May(names("co_handling schemas"), names("fastapi pydantic")),
    "duty_routes": May(names("rules records"), names("fastapi pydantic")),
    "due_routes": May(names("rules models records"), names("fastapi pydantic sqlmodel")),
    "splitting": May(
        names(
            "claims naming registration vault usecases grassroots orders rules models records schemas"
            " split_schemas settings"
        ),
        STORAGE,
    ),
    "split_routes": May(names("splitting split_schemas"), names("fastapi pydantic")),
    "split_schemas": May(names("rules schemas"), names("pydantic")),
    "alarms": May(names("merging orders rules records settings"), STORAGE),
    "grassroots": May(names("rules models records burden_schemas settings"), STORAGE),
    "burden_schemas": May(names("schemas"), names("pydantic")),
    "suggestions": May(names("rules models records settings"), STORAGE),
    "suggestion_routes": May(names("suggestions records"), names("fastapi pydantic")),
    "catalogues": May(names("rules models catalogue_models records settings"), STORAGE),
    "catalogue_models": May(names("models"), names("sqlalchemy sqlmodel")),
    "catalogue_drafts": May(
        names("rules catalogues catalogue_models catalogue_schemas records settings"), STORAGE
    ),
    "catalogue_views": May(
        names(
            "rules models catalogues catalogue_drafts catalogue_models catalogue_schemas records"
            " settings"
        ),
        STORAGE,
    ),
    "catalogue_routes": May(
        names("catalogue_drafts catalogue_views catalogue_schemas explanations records"),
        names("fastapi pydantic"),
    ),
    "catalogue_schemas": May(
        names("rules schemas"), names("pydantic"), PURE | names("http.fields http.problems")
    ),
    "explanations": May(names("rules models catalogues catalogue_schemas records"), STORAGE),
    "sealing": May(names("rules"), names("cryptography")),
    "digests": May(names("rules"), names("")),
    "codes": May(names("rules schemas settings"), names("pydantic orjson fastapi")),
    "orders": May(names("following rules models arbitration_models records settings"), STORAGE),
    "duplicates": May(
        names("rules models records views schemas vault callers readlog settings"),
        names("fastapi pydantic sqlmodel"),
    ),
    "merging": May(
        names(
            "following rules models records views schemas orders clockwork vault settings catalogues"
            " grassroots"
        ),
        STORAGE | names("fastapi"),
    ),
    "clockwork": May(names("rules models records"), STORAGE),
    "returns": May(names("clockwork rules models records settings"), STORAGE),
    "reforming": May(
        names("orders transferring rules models records reform_schemas settings"), STORAGE
    ),
    "reform_routes": May(names("reforming reform_schemas records"), names("fastapi pydantic")),
    "reform_schemas": May(names("schemas rules"), names("pydantic"), PURE | names("http.fields")),
    "following": May(names("rules models records"), STORAGE),
    "transferring": May(names("following orders merging rules models records settings"), STORAGE),
    "transfers": May(names("rules models records settings"), STORAGE),
    "returning": May(
        names(
            "arbitration arbitration_models precedents orders rules models records views schemas settings"
        ),
        STORAGE,
    ),
    "arbitration": May(
        names(
            "arbitration_models arbitration_schemas arbitration_views clockwork merging orders rules"
            " models records settings"
        ),
        STORAGE,
    ),
    "arbitration_rulings": May(
        names(
            "arbitration arbitration_models arbitration_schemas arbitration_views precedents co_handling"
            " grassroots merging orders returning rules models records"
        ),
        STORAGE,
    ),
    "arbitration_views": May(
        names(
            "arbitration_models arbitration_schemas list_schemas narrowing orders rules models"
            " records"
        ),
        STORAGE,
    ),
    "precedents": May(
        names(
            "arbitration_models arbitration_schemas list_schemas narrowing orders rules models records"
        ),
        STORAGE,
    ),
    "arbitration_models": May(names("models"), names("sqlalchemy sqlmodel")),
    "arbitration_schemas": May(
        names("schemas list_schemas"), names("pydantic"), PURE | names("http.fields")
    ),
    "arbitration_routes": May(
        names(
            "arbitration arbitration_rulings arbitration_views precedents arbitration_schemas list_routes"
            " records"
        ),
        names("fastapi pydantic"),
    ),
    "feed": May(names("rules models records schemas settings"), STORAGE),
    "figures": May(
        names("rules models records schemas settings figure_schemas"),
        STORAGE,
        PURE | names("jurisdiction.period"),
    ),
    "figure_routes": May(
        names("figures figure_schemas grassroots burden_schemas records"), names("fastapi pydantic")
    ),
    "figure_schemas": May(names("rules"), names("pydantic")),
    "correction_routes": May(
        names("corrections correction_schemas usecases records views schemas settings"),
        names("fastapi pydantic"),
    ),
    "correction_schemas": May(names("rules schemas"), names("pydantic pydantic_core")),
    "corrections": May(
        names(
            "rules models records correction_schemas naming usecases registration vault callers search"
            " orders merging co_handling rights sealing catalogues grassroots following"
            " settings clockwork"
        ),
        STORAGE,
    ),
    "verdicts": May(names("rules models records usecases schemas settings"), STORAGE),
    "calls": May(
        names(
            "call_records call_schemas callers claims rules models records schemas usecases"
            " vault phone call_models readlog"
            " settings"
        ),
        STORAGE,
    ),
    "call_lists": May(
        names(
            "call_records call_schemas calls rules models records schemas settings call_models"
            " contact_schemas"
        ),
        STORAGE,
    ),
    "call_records": May(names("rules models records sealing settings call_models"), STORAGE),
    "call_schemas": May(names("callers rules schemas"), names("pydantic")),
    "webhook": May(names("rules settings"), names("fastapi pydantic")),
    "phone": May(names("rules settings webhook"), names("httpx orjson pydantic standardwebhooks")),
    "rules": May(
        names("rules"), names("pydantic ahocorasick_rs rapidfuzz phonenumbers"), PURE, pure=True
    ),
    "models": May(
        names("rules"),
        names("sqlalchemy sqlmodel pydantic"),
        PURE | names("storage messaging.outbox messaging.inbox"),
    ),
    "call_models": May(names("models"), names("sqlalchemy sqlmodel")),
    "contact_schemas": May(names("rules"), names("pydantic"), PURE | names("http.fields")),
    "schemas": May(
        names("rules"), names("pydantic pydantic_core"), PURE | names("http.fields http.problems")
    ),
    "settings": May(
        names("rules sealing digests"),
        names("pydantic pydantic_settings"),
        PURE | names("jurisdiction security settings"),
    ),
}
