"""Who is let in at which door: the table test_roles.py asks every door for."""

from __future__ import annotations

TABLE = """
#                                                  nob pho dsk agt sup cal ops ser fee hol str  kinds
intake POST /v1/tickets                            401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/batch                      401  +   +   +  403 403 403 403 403 403 403
intake GET /v1/tickets                             401  +   +   +   +   +  403  +   +  403 403
intake GET /v1/tickets/{number}                    401  +   +   +   +   +  403  +   +  403 403
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403  +  404  ordinary
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403  +  404  confidential
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403  +  404  against
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403 404 404  withdrawn
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403 404 404  resolved
intake POST /v1/tickets/{number}/contact-requests  401 403 403 403 403 403 403 403 403 404 404  closed
intake POST /v1/tickets/{number}/supplements       401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/urges             401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/corrections       401  +   +   +  403 403 403 403 403 403 403
intake GET /v1/tickets/{number}/corrections        401 403  +  403  +  403 403 403 403 403 403
intake GET /v1/tickets/{number}/notes              401 403  +   +   +   +  403 403 403 403 403
intake POST /v1/tickets/{number}/notes/read        401 403  +  403 403  +  403 403 403 403 403
intake GET /v1/tickets/{number}/duplicates         401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/duplicates                 401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/merge             401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/unmerge           401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/split             401 403  +  403 403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/direct-answer     401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/not-accepted      401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/handed-over       401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/dispatch          401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/call-rating       401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/malicious-use     401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/tickets/{number}/malicious-use/undo 401 403 + 403 403 403 403 403 403 403 403
intake GET /v1/tickets/{number}/front-record       401 403  +   +   +  403 403 403 403 403 403
intake POST /v1/tickets/{number}/withdrawal        401  +   +   +  403 403 403 403 403 403 403
intake GET /v1/tickets/{number}/progress            +   +   +   +   +   +   +   +   +   +   +
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403 404 403 404 404  +  404  ordinary
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403 404 403 404 404  +  404  confidential
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403 404 403 404 404  +  404  against
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403 404 403 404 404 404 404  withdrawn
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403  +  403 404  +  404 404  resolved
intake POST /v1/tickets/{number}/contact-reads     401 403 403 404 403 404 403 404 404 404 404  closed
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403  +  404  ordinary
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403  +  404  confidential
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403  +  404  against
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403 404 404  withdrawn
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403 404 404  resolved
intake POST /v1/tickets/{number}/matter-reads      401 403 403 403 403 403 403 403 403 404 404  closed
intake GET /v1/contact-requests                    401 403 403 403 403 403 403 403 403  +   +
intake POST /v1/contact-requests/{request}/ruling  401 403 403 403 403 403 403 403 403 403 403  confidential
intake GET /v1/codes/{table}                       401  +   +   +   +   +   +   +   +   +   +  ordinary
intake GET /v1/figures                             401 403  +   +   +  403 403  +   +  403 403
intake POST /v1/callers/lookup                     401  +   +   +  403 403 403 403 403 403 403
intake POST /v1/calls                              401  +  403 403 403 403 403 403 403 403 403
intake GET /v1/calls/pop/{pop}                     401 403 403  +  403 403 403 403 403 403 403  ordinary
intake GET /v1/calls/{call}                        401 403  +   +  403 403 403 403 403 403 403  ordinary
intake PUT /v1/calls/{call}/draft                  401 403  +   +  403 403 403 403 403 403 403  ordinary
intake DELETE /v1/calls/{call}/draft               401 403  +   +  403 403 403 403 403 403 403  ordinary
intake PUT /v1/calls/{call}/transcript             401  +  403 403 403 403 403 403 403 403 403  ordinary
intake GET /v1/drafts                              401 403  +   +  403 403 403 403 403 403 403
intake GET /v1/missed-calls                        401 403  +   +  403 403 403 403 403 403 403
intake POST /v1/missed-calls/{call}/contact-reads  401 403  +   +  403 403 403 403 403 403 403  ordinary
intake POST /v1/missed-calls/{call}/tries          401 403  +   +  403 403 403 403 403 403 403  ordinary
dispatcher POST /v1/assignments/{assignment}/sign  401 403 403 403 403 403 403 403 403  +  404
dispatcher POST /v1/assignments/{assignment}/contacts 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/progress 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/return-requests 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/return-withdrawal 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/completion 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/completion-withdrawal 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/completion-ruling 401 403 + 403 403 403 403 403 403 403 403
dispatcher POST /v1/assignments/{assignment}/audit 401 403  +  403 403 403 403 403 403 403 403
dispatcher GET /v1/audits                          401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/completion-requests             401 403  +  403  +  403 403 403 403 403 403
dispatcher POST /v1/assignments/{assignment}/press 401 403 403 403 403 403 403 403 403 + 404
dispatcher POST /v1/assignments/{assignment}/ruling 401 403 + 403 403 403 403 403 403 403 403
dispatcher POST /v1/tickets/{number}/assign        401 403  +  403 403 403 403 403 403 403 403
dispatcher POST /v1/tickets/{number}/recall        401 403  +  403 403 403 403 403 403 403 403
dispatcher POST /v1/tickets/{number}/co-handlers   401 403  +  403 403 403 403 403 403 403 403
dispatcher POST /v1/assignments/{assignment}/release 401 403 + 403 403 403 403 403 403 403 403
dispatcher POST /v1/tickets/{number}/arbitration   401 403  +  403  +  403 403 403 403 403 403
dispatcher POST /v1/arbitrations/{arbitration}/statements 401 403 403 403 403 403 403 403 403 404 404 ordinary
dispatcher POST /v1/arbitrations/{arbitration}/raise 401 403 404 403 404 403 403 403 403 403 403 ordinary
dispatcher POST /v1/arbitrations/{arbitration}/ruling 401 403 404 403 404 403 403 403 403 403 403 ordinary
dispatcher GET /v1/arbitrations                    401 403  +  403  +  403 403 403 403  +   +
dispatcher GET /v1/arbitrations/{arbitration}      401 403 404 403 404 403 403 403 403 404 404 ordinary
dispatcher GET /v1/precedents                      401 403  +  403  +  403 403 403 403  +   +
dispatcher GET /v1/tickets/{number}/precedents     401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/unassigned                      401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/figures/burden                  401 403  +  403  +  403 403  +   +  403 403
dispatcher GET /v1/returns                         401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/tickets/{number}/handling       401 403  +   +   +   +  403 403 403 403 403
dispatcher GET /v1/tickets/{number}/assignments    401 403  +  403  +  403 403 403 403  +  404
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 + 404 ordinary
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 + 404 confidential
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 + 404 against
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 404 404 withdrawn
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 + 404 resolved
dispatcher GET /v1/assignments/{assignment}/supplements 401 403 + 403 + 403 403 403 403 + 404 closed
dispatcher GET /v1/tickets/{number}/suggestions    401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/tickets/{number}/explain        401 403  +  403  +  403 403 403 403  +  404  ordinary
dispatcher GET /v1/tickets/{number}/explain        401 403  +  403  +  403 403 403 403  +  404  confidential
dispatcher GET /v1/tickets/{number}/explain        401 403  +  403  +  403 403 403 403  +  404  against
dispatcher GET /v1/tickets/{number}/explain        401 403  +  403  +  403 403 403 403 404 404  withdrawn
dispatcher GET /v1/tickets/{number}/explain        401 403  +  403  +  403 403 403 403  +  404  resolved
dispatcher GET /v1/tickets/{number}/explain        401 403  +  403  +  403 403 403 403  +  404  closed
dispatcher GET /v1/catalogue/versions              401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/catalogue/versions/{edition} 401 403 + 403 + 403 403 403 403 403 403 ordinary
dispatcher POST /v1/catalogue/versions/{edition}/withdrawal 401 403 403 403 + 403 403 403 403 403 403 ordinary
dispatcher GET /v1/catalogue/drafts                401 403  +  403  +  403 403 403 403 403 403
dispatcher POST /v1/catalogue/drafts               401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/catalogue/drafts/{draft}        401 403  +  403  +  403 403 403 403 403 403  ordinary
dispatcher GET /v1/catalogue/drafts/{draft}/check  401 403  +  403  +  403 403 403 403 403 403  ordinary
dispatcher GET /v1/catalogue/drafts/{draft}/trial  401 403  +  403  +  403 403 403 403 403 403  ordinary
dispatcher POST /v1/catalogue/drafts/{draft}/publication 401 403 403 403 + 403 403 403 403 403 403 ordinary
dispatcher POST /v1/catalogue/drafts/{draft}/content 401 403 + 403 + 403 403 403 403 403 403 ordinary
dispatcher POST /v1/catalogue/drafts/{draft}/rules 401 403  +  403  +  403 403 403 403 403 403  ordinary
dispatcher POST /v1/catalogue/drafts/{draft}/discarding 401 403 + 403 + 403 403 403 403 403 403 ordinary
dispatcher GET /v1/tickets/{number}/duties/{code}  401 403 403 403 403 403 403 403 403 403 403
dispatcher GET /v1/units/{code}/assignments        401 403  +  403  +  403 403 403 403  +  404
dispatcher GET /v1/units/{code}/orders             401 403  +  403  +  403 403 403 403  +  404
dispatcher GET /v1/rates                           401 403  +  403  +  403 403  +   +   +   +
dispatcher POST /v1/units/{code}/reforms           401 403  +  403  +  403 403 403 403 403 403
dispatcher POST /v1/reforms/{reform}/approval      401 403 404 403 404 403 403 403 403 403 403
dispatcher POST /v1/reforms/{reform}/withdrawal    401 403 404 403 404 403 403 403 403 403 403
dispatcher GET /v1/reforms                         401 403  +  403  +  403 403 403 403 403 403
dispatcher GET /v1/reforms/{reform}                401 403 404 403 404 403 403 403 403 403 403
dispatcher GET /v1/units/{code}/feed               401 403  +  403  +  403 403 403 403  +  404
tracker GET /v1/tickets/{number}/clocks            401 403  +  403  +   +  403  +   +   +  404
tracker POST /v1/assignments/{assignment}/extensions 401 403 403 403 403 403 403 403 403 + 404
tracker POST /v1/assignments/{assignment}/supervisions 401 403 403 403 + 403 403 403 403 403 403
tracker POST /v1/supervisions/{supervision}/withdrawal 401 403 403 403 404 403 403 403 403 403 403 ordinary
tracker POST /v1/extensions/{extension}/ruling     401 403 403 403  +  403 403 403 403 403 403
tracker GET /v1/rates                              401 403  +  403  +  403 403  +   +   +   +
tracker GET /v1/breaches                           401 403  +  403  +  403 403 403 403 403 403
tracker GET /v1/extensions                         401 403  +  403  +  403 403 403 403 403 403
tracker GET /v1/supervisions                       401 403  +  403  +  403 403 403 403 403 403
feedback GET /v1/callbacks                         401  +  403 403  +   +  403 403 403 403 403
feedback GET /v1/callbacks/due                     401  +  403 403  +   +  403 403 403 403 403
feedback GET /v1/callbacks/{callback}              401  +  403 403  +   +  403 403 403 403 403
feedback POST /v1/callbacks/{callback}/outcome     401  +  403 403 403  +  403 403 403 403 403
feedback POST /v1/tickets/{number}/verdict         401  +   +   +  403  +  403 403 403 403 403
feedback POST /v1/tickets/{number}/reopening       401  +   +   +  403  +  403 403 403 403 403
feedback GET /v1/tickets/{number}/call             401 403 403 403 403 403 403 403 403 403 403
feedback GET /v1/rates                             401 403  +  403  +   +  403  +   +  403 403
"""
EVERYWHERE = """
* GET /healthz                                      +   +   +   +   +   +   +   +   +   +   +
* GET /readyz                                       +   +   +   +   +   +   +   +   +   +   +
* GET /metrics                                     401 403 403 403 403 403  +   +   +  403 403
* GET /clock                                       401 403 403 403 403 403  +   +   +  403 403
* POST /clock                                      401 403 403 403 403 403  +  403 403 403 403
* GET /v1/facts                                    401 403 403 403 403 403  +   +   +  403 403
* GET /openapi.json                                 +   +   +   +   +   +   +   +   +   +   +
* GET /docs                                         +   +   +   +   +   +   +   +   +   +   +
* GET /errors/{slug}                                +   +   +   +   +   +   +   +   +   +   +  ordinary
* GET /docs/{version}/{name}                        +   +   +   +   +   +   +   +   +   +   +  ordinary
"""
