"""While an upgrade rolls out, older servers and workers meet the newer schema: migrations add, and take nothing away that
the release before uses. What must go says so, and that the release before does not use it any more."""

import re
import unittest

import charts

# Up to here there was no release before.
FIRST_RELEASE = 18
TAKES_AWAY = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|VIEW)\b|\bRENAME\b|\bALTER\s+COLUMN\s+\w+\s+(TYPE|SET\s+DATA\s+TYPE|SET\s+NOT\s+NULL|DROP\s+DEFAULT)\b",
    re.IGNORECASE)
WANTS_MORE = re.compile(r"\bADD\s+COLUMN\s+(?:IF\s+NOT\s+EXISTS\s+)?\w+\s+[^,;]*\bNOT\s+NULL\b[^,;]*", re.IGNORECASE)
SAID = "-- contract: "


def taken_away(text):
    """What a migration does that an older release may stumble over; what says `-- contract: WHY` on its line may."""
    lines = [re.sub(r"--.*", "", line) for line in text.splitlines() if SAID not in line]
    bare = "\n".join(lines)
    wanting = [match[0] for match in WANTS_MORE.finditer(bare) if not re.search(r"\bDEFAULT\b|\bGENERATED\b", match[0], re.I)]
    return [match[0] for match in TAKES_AWAY.finditer(bare)] + wanting


class Migrations(unittest.TestCase):
    def test_each_only_adds(self):
        for file in sorted((charts.REPOSITORY / "migrations").glob("*.sql")):
            if int(file.name[:4]) > FIRST_RELEASE:
                self.assertEqual(taken_away(file.read_text()), [], f"{file.name}: see docs/install.md, Upgrade")

    def test_numbers_are_unique(self):
        numbers = [file.name[:4] for file in (charts.REPOSITORY / "migrations").glob("*.sql")]
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_the_rule_sees_what_it_should(self):
        for text in ("ALTER TABLE a DROP COLUMN b;", "ALTER TABLE a RENAME TO b;", "ALTER TABLE a ADD COLUMN b text NOT NULL;",
                     "ALTER TABLE a ALTER COLUMN b SET NOT NULL;", "drop table a"):
            self.assertEqual(len(taken_away(text)), 1, text)
        for text in ("ALTER TABLE a ADD COLUMN b text;", "ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT '';",
                     "-- once we could DROP TABLE a", "ALTER TABLE a DROP COLUMN b; -- contract: unused since 0.2",
                     "ALTER TABLE a DROP CONSTRAINT b;"):
            self.assertEqual(taken_away(text), [], text)
