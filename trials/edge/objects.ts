// The bindings of our three classes in a worker that exports them: SQLite-backed, as they have to be.
export const ourObjects: Readonly<Record<string, { className: string; useSQLite: true }>> = {
  SESSIONS: { className: "SessionObject", useSQLite: true },
  SUBJECTS: { className: "SubjectObject", useSQLite: true },
  REVOCATIONS: { className: "RevocationObject", useSQLite: true },
};
