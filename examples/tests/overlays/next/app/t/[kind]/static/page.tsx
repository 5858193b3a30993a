export const dynamicParams = false;

export function generateStaticParams() {
  return [{ kind: "ticketed" }, { kind: "sealed" }];
}

export default async function Page({ params }: { params: Promise<{ kind: string }> }) {
  return <p id="static">{(await params).kind}</p>;
}
