// `headwater openapi`: what programs may ask over HTTP, as an OpenAPI document.

import { type Command, defineCommand } from '../../network/command/command.ts';
import type { ApiDocument } from '../../network/openapi/openapi.ts';

export function openapiCommand(describe: () => ApiDocument): Command {
  return defineCommand({
    name: 'openapi',
    summary: 'print what programs may ask over HTTP, as OpenAPI 3.1',
    details: 'The same as /api/openapi.json of an usher; /api/docs is a page of it.',
    examples: [['headwater openapi > openapi.json', 'for a generator of clients']],
    async run() {
      const value = describe();
      return { value, text: `${JSON.stringify(value, undefined, 2)}\n` };
    },
  });
}
