// SPDX-License-Identifier: GPL-3.0-or-later
// A question, or a wish for another answer, that one or more pages ask for until they know.

/* Refusals that this test provokes. */
const EXPECTED = {
  'ai:chat:generate': ['busy'],
  'ai:chat:regenerate': ['busy', 'unknown-module', 'unknown-message'],
};

export class Op {
  ack = null;
  /* acks that say it was accepted now, not before */
  #accepted = 0;
  refused = false;
  /* how often it was sent, by whomever */
  sends = 0;
  /* somebody stopped asking before there was an ack */
  isUncertain = false;
  #run;

  constructor(run, number, event, payload) {
    this.#run = run;
    this.number = number;
    this.name = `op${number}`;
    this.event = event;
    this.payload = payload;
    this.moduleId = payload.moduleId;
    this.tag = payload.message === undefined ? null : String(number);
  }

  sentBy(tab) {
    this.#run.log(`${tab.name} asks ${this.name}`);
  }

  abandonedBy() {
    this.isUncertain = true;
  }

  answered(tab, ack) {
    const run = this.#run;
    if (!ack.ok) {
      this.refused = true;
      /* of what was sent more than once, another one may be accepted */
      this.isUncertain ||= this.sends > 1;
      run.counts.refusals += 1;
      if (!EXPECTED[this.event].includes(ack.code))
        run.fail(`${tab.name}: ${this.name} refused: ${JSON.stringify(ack)}`);
      return;
    }

    if (this.ack && this.ack.generationId !== ack.generationId)
      run.fail(`${tab.name}: ${this.name} is ${this.ack.generationId}, and ${ack.generationId}`);
    if (ack.seq !== undefined)
      run.counts.repeats += 1;
    else
      this.#accepted += 1;
    if (this.#accepted > 1)
      run.fail(`${tab.name}: ${this.name} was accepted twice`);
    const asked = this.payload.userMessageId;
    if (asked && asked !== ack.userMessageId)
      run.fail(`${tab.name}: ${this.name} asked as ${asked}, kept as ${ack.userMessageId}`);
    this.ack ??= ack;
  }
}
