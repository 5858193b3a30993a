// Vitest's `expect` in a process without Vitest: what a bundle of scenes has in place of "vitest".
import { chai, JestChaiExpect, JestExtend } from "@vitest/expect";

chai.use(JestExtend);
chai.use(JestChaiExpect);
export const { expect } = chai;
