export type Program = "chromium" | "redis" | "memcached" | "postgres" | "mariadb";
export declare function ensure<Name extends Program>(...names: Name[]): Record<Name, string>;
