import { type ReactNode, Suspense } from "react";

export const metadata = { title: "A shop" };

// The shell is prerendered; what reads the session streams into it.
export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <h1>A shop</h1>
        <Suspense fallback={<p>One moment</p>}>{children}</Suspense>
      </body>
    </html>
  );
}
