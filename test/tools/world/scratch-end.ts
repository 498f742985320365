// Runs around each test file: once all its tests are done, so are its folders. Vitest ends the process without an exit.

import { afterAll } from 'vitest';
import { removeFolders } from './scratch-folder.ts';

afterAll(removeFolders);
