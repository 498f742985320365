// What a command's exit code says, by the code of the error that ended it. Pure.

export const EXIT = { done: 0, failed: 1, usage: 2, missing: 3 } as const;

export const EXIT_CODES_HELP = `Exit codes:
  0  done
  1  it failed: nobody answers, somebody refuses, the disk is full
  2  it was typed or configured wrongly, and nothing was done
  3  what it asks for is not there, or not yet`;

const BY_CODE: Readonly<Record<string, number>> = {
  bad_usage: EXIT.usage,
  bad_config: EXIT.usage,
  bad_scenario: EXIT.usage,
  bad_policies: EXIT.usage,
  bad_topology: EXIT.usage,
  not_found: EXIT.missing,
  not_ready: EXIT.missing,
};

export function exitCodeOf(code: string): number {
  return Object.hasOwn(BY_CODE, code) ? BY_CODE[code]! : EXIT.failed;
}
