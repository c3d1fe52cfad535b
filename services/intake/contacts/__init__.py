"""联系方式 who called: who may read it, and who did."""
