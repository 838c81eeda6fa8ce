import type { Seat } from '../seat.ts';
import { claude } from './claude.ts';
import { cline } from './cline.ts';
import { codex } from './codex.ts';
import { copilot } from './copilot.ts';
import { gemini } from './gemini.ts';
import { opencode } from './opencode.ts';
import { qwen } from './qwen.ts';

/** The engines of the kit, in the order of the table. */
export const SEATS: readonly Seat[] = [claude, codex, copilot, gemini, opencode, qwen, cline];
