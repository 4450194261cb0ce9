/* SPDX-License-Identifier: GPL-3.0-or-later */
/* guard WORKLOAD COUNT: does the work of COUNT tokens or packets, without I/O, so that its
 * instructions can be counted; see test-guard.py. */
#include <stdlib.h>
#include <string.h>

#include "confab-generation.h"
#include "confab-openai-reader.h"
#include "confab-wire.h"
#include "socketio-decoder.h"

static void
drop_text_cb (ConfabDeltaKind kind, const char *text, gsize length, gpointer user_data)
{
}

/* From the body of an upstream's response to deltas. */
static void
read_answer (guint count)
{
  static const char head[] = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\","
                             "\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":"
                             "{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}"
                             "\n\n";
  static const char piece[] = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\","
                              "\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":"
                              "{\"content\":\" caf\303\251\\n\"},\"finish_reason\":null}]}\n\n";
  g_autoptr (ConfabAnswerReader) reader = confab_openai_reader_new (drop_text_cb, NULL);

  confab_answer_reader_feed (reader, head, strlen (head), NULL);
  for (guint i = 0; i < count; i++)
    {
      confab_answer_reader_feed (reader, piece, strlen (piece), NULL);
      confab_answer_reader_flush (reader);
    }
}

static void
encode_delta_cb (ConfabGeneration *generation, const ConfabDelta *delta, gpointer user_data)
{
  GString *json = user_data;
  g_autoptr (GBytes) packet = NULL;

  g_string_truncate (json, 0);
  confab_wire_append_stretch (json, generation, delta->seq, delta->seq, delta->text, delta->length);
  packet = socketio_packet_encode_event_json ("/", "ai:chat:chunk", json->str, 0);
}

/* From deltas to packets. */
static void
tell_answer (guint count)
{
  g_autoptr (ConfabMessage) question = confab_message_new_question ("q", NULL, "Hello");
  g_autoptr (ConfabMessage) answer = confab_message_new_answer ("a", "q", "g");
  g_autoptr (ConfabGeneration) generation =
      confab_generation_new ("g", "m", NULL, question, answer);
  g_autoptr (GString) json = g_string_new (NULL);

  g_signal_connect (generation, "delta", G_CALLBACK (encode_delta_cb), json);
  confab_generation_begin (generation);
  for (guint i = 0; i < count; i++)
    confab_generation_append (generation, CONFAB_DELTA_TEXT, " caf\303\251\n", 7);
}

/* From a client's packet to arguments, and an acknowledgement back. */
static void
answer_packets (guint count)
{
  static const char text[] =
      "217[\"ai:chat:generate\",{\"moduleId\":\"m\",\"message\":\"Hello\",\"requestId\":\"r\"}]";
  SocketioDecoder decoder = { 0 };

  for (guint i = 0; i < count; i++)
    {
      g_autoptr (SocketioPacket) packet = NULL;
      g_autoptr (GArray) ack = NULL;

      if (!socketio_decoder_feed_text (&decoder, text, strlen (text), &packet, NULL))
        abort ();
      ack = socketio_packet_encode_ack (packet->nsp, packet->args, packet->id);
    }
  socketio_decoder_clear (&decoder);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*run) (guint count);
  } workloads[] = {
    { "read-answer", read_answer },
    { "tell-answer", tell_answer },
    { "answer-packets", answer_packets },
  };

  for (guint i = 0; argc == 3 && i < G_N_ELEMENTS (workloads); i++)
    if (g_str_equal (workloads[i].name, argv[1]))
      {
        workloads[i].run ((guint) atoi (argv[2]));
        return EXIT_SUCCESS;
      }

  return 2;
}
