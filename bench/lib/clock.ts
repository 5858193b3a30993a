// What something costs: processor time of this process, all its threads and the collector's work
// included, which a shared machine disturbs less than the time on the wall.

/** Microseconds. */
export interface Cost {
  readonly cpu: number;
  readonly wall: number;
}

/** Starts; the function gives what was spent since. */
export function startClock(): () => Cost {
  const wall = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { cpu: user + system, wall: Number(process.hrtime.bigint() - wall) / 1000 };
  };
}

/** Collects garbage, so that no subject pays for the one before it. */
export function collect(): void {
  (globalThis as { gc?: () => void }).gc?.();
}
