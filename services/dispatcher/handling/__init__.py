"""办理 who works on a ticket: co-handlers, units below the lead, persons."""
