// Where the long runs leave their results: one section or one row is replaced, and the rest stays.
import { expect, test } from "vitest";
import { replaceRow, replaceSection, table } from "../../trials/lib/report.ts";

const page = `# Races

By hand.

<!-- begin stores -->

| store | date | breaches |
| --- | --- | --- |
| memory | 2026-01-01 | none |
| redis | 2026-01-02 | none |

<!-- end stores -->

Between.

<!-- begin controls -->

old

<!-- end controls -->
`;

test("a section is replaced, and nothing else", () => {
  const after = replaceSection(page, "controls", "new\n\nlines");
  expect(after).toBe(page.replace("old", "new\n\nlines"));
  expect(replaceSection(after, "controls", "old")).toBe(page);
});

test("a row takes the place of the one with its name; another is put where its name belongs", () => {
  expect(replaceRow(page, "stores", ["redis", "2026-02-02", "L1: 3"])).toBe(
    page.replace("| redis | 2026-01-02 | none |", "| redis | 2026-02-02 | L1: 3 |"),
  );
  expect(replaceRow(page, "stores", ["mysql", "2026-02-02", "a|b\nc"])).toBe(
    page.replace("| redis", "| mysql | 2026-02-02 | a\\|b c |\n| redis"),
  );
});

test("a row with other columns than the table's, and a section that isn't there, are errors", () => {
  expect(() => replaceRow(page, "stores", ["redis", "2026-02-02"])).toThrow(
    "the row has 2 cells, the table has 3 columns",
  );
  expect(() => replaceSection(page, "store", "")).toThrow("the page has no section store");
});

test("a table", () => {
  expect(table(["a", "b"], [[1, "x"]])).toBe("| a | b |\n| --- | --- |\n| 1 | x |");
});
