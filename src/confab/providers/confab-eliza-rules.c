/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <glib/gi18n-lib.h>

#include "confab-eliza-rules.h"

/* TRANSLATORS: in all of these "{}" stands for words of the person, taken over into the answer. The
 * program only knows English phrases, so a translation is read where those are used. */
const ConfabElizaRule confab_eliza_rules[] = {
  {
      .rank = 9,
      .phrases = "hurt myself|kill myself|suicide|end my life",
      .alone = { N_ ("That sounds serious, and I am only a small program with fixed rules. Please "
                     "talk to a person now: someone close to you, a doctor, or the emergency "
                     "number of your country.") },
  },
  {
      .rank = 7,
      .phrases = "i dreamed|i dreamt|i dream",
      .with_rest = { N_ ("What did it feel like, dreaming {}?"),
                     N_ ("And when you woke up, was something of {} still with you?") },
      .alone = { N_ ("What happens in that dream?"), N_ ("Does this dream come back often?") },
  },
  {
      .rank = 6,
      .phrases = "i remember|i recall",
      .with_rest = { N_ ("What makes you think of {} just now?"),
                     N_ ("What else do you see when you remember {}?"),
                     N_ ("Is it a good memory, {}?") },
      .alone = { N_ ("What comes back to you first?") },
  },
  {
      .rank = 6,
      .phrases = "do you remember",
      .with_rest = { N_ ("I only have the words of this chat. What is it about {}?") },
      .alone = { N_ ("I only have the words of this chat.") },
  },
  {
      .rank = 5,
      .phrases = "i feel|i am feeling|i'm feeling|i felt",
      .with_rest = { N_ ("Since when do you feel {}?"), N_ ("What brings it on, feeling {}?"),
                     N_ ("What do you do when you feel {}?") },
      .alone = { N_ ("How would you name that feeling?") },
  },
  {
      .rank = 5,
      .phrases = "i want|i wish|i would like|i'd like",
      .with_rest = { N_ ("What would change if you got {}?"), N_ ("Suppose you had {}. What then?"),
                     N_ ("What stands between you and {}?") },
      .alone = { N_ ("What is it that you want most?") },
  },
  {
      .rank = 5,
      .phrases = "i need",
      .with_rest = { N_ ("How would you get by without {}?"), N_ ("Who could help you to {}?"),
                     N_ ("What makes {} so needed?") },
      .alone = { N_ ("What do you need?") },
  },
  {
      .rank = 5,
      .phrases = "i can't|i cannot|i can not|i couldn't",
      .with_rest = { N_ ("What happens when you try to {}?"),
                     N_ ("Could you {} at some other time?"),
                     N_ ("What would make it easier to {}?") },
      .alone = { N_ ("What holds you back?") },
  },
  {
      .rank = 5,
      .phrases = "i hate|i dislike|i don't like",
      .with_rest = { N_ ("What is it about {} that bothers you?"),
                     N_ ("Was there a time when you did not mind {}?") },
      .alone = { N_ ("Strong words. What is behind them?") },
  },
  {
      .rank = 5,
      .phrases = "i love|i like|i enjoy",
      .with_rest = { N_ ("What is the best part of {}?"), N_ ("How did you come to like {}?") },
      .alone = { N_ ("What do you like about it?") },
  },
  {
      .rank = 5,
      .phrases = "i am afraid of|i'm afraid of|i fear",
      .with_rest = { N_ ("What is the worst that {} could bring?"),
                     N_ ("Have you met {} before, and how did it go?") },
      .alone = { N_ ("What are you afraid of?") },
  },
  {
      .rank = 4,
      .phrases = "i think|i believe|i guess",
      .with_rest = { N_ ("What makes you think {}?"), N_ ("How sure are you that {}?"),
                     N_ ("What would you say to somebody who doubts that {}?") },
      .alone = { N_ ("Go on, think aloud.") },
  },
  {
      .rank = 4,
      .phrases = "i am|i'm",
      .with_rest = { N_ ("How long have you been {}?"), N_ ("What is it like to be {}?"),
                     N_ ("Do others see that you are {}?") },
      .alone = { N_ ("And who are you?") },
  },
  {
      .rank = 4,
      .phrases = "are you",
      .with_rest = { N_ ("What would it change for you if I were {}?"),
                     N_ ("I follow fixed rules; being {} is not among them.") },
      .alone = { N_ ("What do you take me for?") },
  },
  {
      .rank = 4,
      .phrases = "you are|you're",
      .with_rest = { N_ ("What gives you the idea that I am {}?"),
                     N_ ("Would you rather that I were not {}?") },
      .alone = { N_ ("We were speaking of you, not of me.") },
  },
  {
      .rank = 4,
      .phrases = "can you|could you|would you",
      .with_rest = { N_ ("I am too simple to {}. What would you do with it?"),
                     N_ ("A real model may well {}; I cannot. Ask me for help to connect one.") },
      .alone = { N_ ("Not much. Ask me for help to see what I can do.") },
  },
  {
      .rank = 4,
      .phrases = "why don't you|why can't you|why do you|why are you",
      .with_rest = { N_ ("My rules are few. Why does {} matter to you?") },
      .alone = { N_ ("My rules are few.") },
  },
  {
      .rank = 4,
      .phrases = "why can't i|why don't i|why do i|why am i",
      .with_rest = { N_ ("What answer to that would you give yourself?"),
                     N_ ("When did you first ask yourself about {}?") },
      .alone = { N_ ("What answer to that would you give yourself?") },
  },
  {
      .rank = 3,
      .phrases = "because",
      .with_rest = { N_ ("Is that the whole reason?"), N_ ("If it were not for {}, what then?") },
      .alone = { N_ ("Because of what?") },
  },
  {
      .rank = 3,
      .phrases = "my mother|my father|my sister|my brother|my wife|my husband|my son|my daughter"
                 "|my family|my parents",
      .with_rest = { N_ ("What more comes to mind about your family?"),
                     N_ ("Who else in your family {}?") },
      .alone = { N_ ("Tell me about your family."), N_ ("How do you get along?") },
  },
  {
      .rank = 3,
      .phrases = "my work|my job|my boss|my school|my teacher|my computer",
      .alone = { N_ ("What would a good day there look like?"),
                 N_ ("What part of it takes most out of you?") },
  },
  {
      .rank = 2,
      .phrases = "my",
      .with_rest = { N_ ("Tell me more about your {}."), N_ ("What does your {} mean to you?"),
                     N_ ("Why do you bring up your {}?") },
      .alone = { N_ ("Your what?") },
  },
  {
      .rank = 2,
      .phrases = "sorry|i apologise|i apologize",
      .alone = { N_ ("No harm done."), N_ ("There is nothing to be sorry for here.") },
  },
  {
      .rank = 2,
      .phrases = "always|never|everybody|everyone|nobody",
      .alone = { N_ ("Is there no exception at all?"), N_ ("Can you think of one example?") },
  },
  {
      .rank = 2,
      .phrases = "maybe|perhaps|not sure|i don't know",
      .alone = { N_ ("What would make you sure?"), N_ ("Suppose you did know. What would it be?") },
  },
  {
      .rank = 1,
      .phrases = "yes|yeah|yep|sure|right",
      .alone = { N_ ("Good. What follows from that?"), N_ ("You seem certain. Go on.") },
  },
  {
      .rank = 1,
      .phrases = "no|nope",
      .alone = { N_ ("Why not?"), N_ ("And if it were otherwise?") },
  },
  {
      .rank = 1,
      .phrases = "what|how|who|when|where|why|which",
      .alone = { N_ ("I have no knowledge to answer that from. What do you think yourself?"),
                 N_ ("That needs a real model, or a good book. What made you ask?"),
                 N_ ("Who might know? I am only good at asking back.") },
  },
};

const gsize confab_eliza_n_rules = G_N_ELEMENTS (confab_eliza_rules);

const char *const confab_eliza_fallbacks[] = {
  N_ ("Please go on."),    N_ ("Tell me more about that."), N_ ("What do you make of it?"),
  N_ ("I see. And then?"), N_ ("How does that touch you?"),
};

const gsize confab_eliza_n_fallbacks = G_N_ELEMENTS (confab_eliza_fallbacks);

const char *const confab_eliza_memories[] = {
  N_ ("You spoke of your {} before. Does this have to do with it?"),
  N_ ("Let us go back to your {} for a moment."),
  N_ ("I still have your {} in mind. What became of that?"),
};

const gsize confab_eliza_n_memories = G_N_ELEMENTS (confab_eliza_memories);
