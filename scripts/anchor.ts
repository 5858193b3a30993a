// The anchor of a heading, as GitHub makes it: for the check of the documents' links, and for the site, so that
// a link leads to the same place on both.

/** "node:http and h3" gives "nodehttp-and-h3". */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\p{Mark} _-]/gu, "")
    .replaceAll(" ", "-");
}
