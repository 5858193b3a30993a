// The kit's own peers, which the project doesn't install: the test has them.
import { lab } from "./sessions";

export class CookieJar {
  constructor() {
    return lab().newJar() as CookieJar;
  }
}
