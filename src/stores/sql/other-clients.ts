// Query builders and mappers, whose answers have other shapes. Each is recognized by a method that no
// driver's client has, so that a store can refuse it by name. It knows no driver.

/** One query builder or mapper. */
interface OtherClient {
  readonly name: string;
  /** A method that only it has. */
  readonly method: string;
  /** How to get to a client of the driver. */
  readonly wayOut: string;
}

const OWN_POOL = "make a client of the driver for the store";

const others: readonly OtherClient[] = [
  {
    name: "a DataSource of TypeORM",
    method: "createQueryRunner",
    wayOut: `${OWN_POOL}; TypeORM's own is its driver's master or pool`,
  },
  { name: "a Sequelize instance", method: "getQueryInterface", wayOut: OWN_POOL },
  { name: "a query builder of knex", method: "fromRaw", wayOut: OWN_POOL },
  {
    name: "a Kysely instance",
    method: "selectNoFrom",
    wayOut: "pass the client that its dialect was given",
  },
  { name: "a database of Drizzle", method: "selectDistinct", wayOut: "pass its $client" },
  { name: "a client of Prisma", method: "$queryRawUnsafe", wayOut: OWN_POOL },
  { name: "a database of pg-promise", method: "oneOrNone", wayOut: "pass its $pool" },
  {
    name: "a pool or connection of the package mariadb",
    method: "importFile",
    wayOut: "make one of mysql2",
  },
];

/** The name of the query builder or mapper and the way out; undefined for any other client. */
export function describeOther(client: unknown): string | undefined {
  if ((typeof client !== "object" && typeof client !== "function") || client === null) {
    return undefined;
  }
  const methods = client as Readonly<Record<string, unknown>>;
  const other = others.find(({ method }) => typeof methods[method] === "function");
  return other && `is ${other.name}, no client of the driver; ${other.wayOut}`;
}
