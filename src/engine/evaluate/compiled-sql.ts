import type { EvaluateRequest } from '../engine.js';
import { withoutLiterals } from '../expression/without-literals.js';
import type { Session } from '../session.js';

/** Tells the SQL of an evaluation as it comes to be: a SELECT for every step over all rows, and the last one. */
export class CompiledSql {
  private readonly selects: string[] = [];

  constructor(
    private readonly session: Session,
    private readonly onCompiled: EvaluateRequest['onCompiled'],
  ) {}

  /** One more SELECT, told before it runs: it may be the end of its process. */
  async add(select: string): Promise<void> {
    if (!this.onCompiled) return;
    const told = await withoutLiterals(this.session, select);
    if (told === null) return;
    this.selects.push(told);
    await this.onCompiled(this.selects.join(';\n'));
  }
}
