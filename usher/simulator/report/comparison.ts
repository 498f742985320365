// The results of several policies in one scenario.

import type { Result } from '../measures/result.ts';
import type { Scenario } from '../scenario.ts';

export interface Comparison {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly results: readonly Result[];
}
