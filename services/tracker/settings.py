"""The tracker's knobs: none but the shared ones; it reads policy, calendar and units."""

from __future__ import annotations

from services.tracker.rules.policy import Policy
from services.tracker.rules.policy_file import TrackerRules
from shared.jurisdiction.codes import Units
from shared.jurisdiction.holidays import load_calendar
from shared.jurisdiction.limits import LimitTable
from shared.jurisdiction.reader import read
from shared.settings import ServiceSettings

Config = Policy


class Settings(ServiceSettings):
    """What every service has."""

    def load(self) -> Config:
        """Read the rules. Raises ConfigError with file, line and field."""
        path = self.config_dir / "policy.yaml"
        table = read(path, LimitTable)
        segments, folder = table.calendar.duty_segments, self.config_dir / "calendar"
        calendar = load_calendar(folder, segments, table.timezone)
        units = read(self.config_dir / "units.yaml", Units)
        return Config(table, read(path, TrackerRules), calendar, units.recused)
