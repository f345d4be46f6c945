/** The log-in desk for the owner's control socket, its arguments parsed here. None of it is on the page. */
import { z } from 'zod';
import type { ControlMethods } from '../base/control.ts';
import { AgentError } from '../base/errors.ts';
import type { AccountDesk } from './api/account-desk.ts';

const name = z.string().min(1).max(64);
const password = z.string().min(1).max(1024);
const added = z.strictObject({ name, password, role: z.enum(['owner', 'viewer']) });
const changed = z.strictObject({ name, password, present: password.optional() });
const removed = z.strictObject({ name });

function parse<T>(shape: z.ZodType<T>, params: unknown): T {
  const parsed = shape.safeParse(params);
  if (parsed.success) return parsed.data;
  throw new AgentError('usage', 'owner/bad-arguments', 'Cannot change log-ins: an argument is missing or malformed');
}

export function accountMethods(desk: AccountDesk): ControlMethods {
  return {
    // Never a bare list: what an answer may hold can grow.
    listAccounts: async () => ({ accounts: desk.list() }),
    addAccount: async (params) => desk.add(parse(added, params)),
    setAccountPassword: async (params) => desk.setPassword(parse(changed, params)),
    removeAccount: async (params) => desk.remove(parse(removed, params)),
  };
}
