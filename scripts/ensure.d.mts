export type Program =
  | "chromium"
  | "redis"
  | "valkey"
  | "memcached"
  | "postgres"
  | "mariadb"
  | "etcd";
export declare function ensure<Name extends Program>(...names: Name[]): Record<Name, string>;
