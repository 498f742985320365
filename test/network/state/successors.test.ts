import { expect, test } from 'vitest';
import type { Whereabouts } from '../../../network/state/state.ts';
import { Successors } from '../../../network/state/successors.ts';
import { holding, server, stream } from '../../tools/cluster/clusters.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';

const b = { id: 'b', mediaUrl: 'https://b.example' };
const c = { id: 'c', mediaUrl: 'https://c.example' };

/** Servers that have the stream, each with its next chunk; how often that was asked; and whether anybody answers. */
const state = {
  nextBy: {} as Record<string, number>,
  questions: 0,
  isAway: false,
  async find(name: string): Promise<Whereabouts> {
    state.questions++;
    if (state.isAway) throw new Error('the state is away');
    const holders = Object.entries(state.nextBy).map(([id, next]) =>
      server(id, { holdings: [holding(name, 0, { next })] }),
    );
    return { stream: stream(name, 'a'), holders };
  },
};

test('viewers go to a successor as soon as it has the stream, and to the next one when that has it', async () => {
  const successors = new Successors({ state, logger: keepingLogger() });
  const plan = async (planned: Parameters<Successors['plan']>[0]): Promise<unknown> => {
    successors.plan(planned);
    await new Promise((resolve) => setImmediate(resolve));
    return successors.of('alice');
  };
  expect(await plan({ alice: b })).toBeUndefined();
  state.nextBy = { a: 9, b: 0 };
  expect(await plan({ alice: b })).toBeUndefined();
  state.isAway = true;
  expect(await plan({ alice: b })).toBeUndefined();
  Object.assign(state, { nextBy: { a: 9, b: 8 }, isAway: false });
  expect(await plan({ alice: b })).toEqual(b);

  const { questions } = state;
  expect(await plan({ alice: b })).toEqual(b);
  expect(state.questions).toBe(questions);
  expect(await plan({ alice: c })).toEqual(b);
  state.nextBy = { a: 9, b: 8, c: 8 };
  expect(await plan({ alice: c })).toEqual(c);

  // Who was sent there still asks for the way, and nobody is here any more for whom the plan would name it.
  expect(await plan({})).toEqual(c);
  state.isAway = true;
  expect(await plan({})).toEqual(c);
  Object.assign(state, { nextBy: { a: 9, b: 8 }, isAway: false });
  expect(await plan({})).toBeUndefined();
  expect(await plan({ alice: b })).toEqual(b);
  successors.clear();
  expect(successors.of('alice')).toBeUndefined();
});
