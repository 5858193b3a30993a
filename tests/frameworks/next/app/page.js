// A page of several buffers' size that streams: the second half comes later than the first.
import { Suspense } from "react";

export const dynamic = "force-dynamic";

const rows = Array.from({ length: 2000 }, (_, row) => `row ${row} ${(row * 7919) % 10007}`);

async function Later() {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return rows.map((row) => <p key={row}>{`later ${row}`}</p>);
}

export default function Page() {
  return (
    <main>
      {rows.map((row) => (
        <p key={row}>{row}</p>
      ))}
      <Suspense fallback={<p>wait</p>}>
        <Later />
      </Suspense>
      <p>the end</p>
    </main>
  );
}
