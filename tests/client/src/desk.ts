// A front end in miniature: it signs in, lists, takes a conversation over, answers, and knows what to do with everything that can go
// wrong. What it knows of the API is `api.ts`, written from openapi.json: a code that is not handled here does not compile.

import assert from "node:assert/strict";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./api.js";

type Message = components["schemas"]["Message"];
type Event = components["schemas"]["FeedEvent"];

const { BALCAO_API: baseUrl, BALCAO_EMAIL: email, BALCAO_OTHER_EMAIL: otherEmail, BALCAO_PASSWORD: password } = process.env;
assert(baseUrl && email && otherEmail && password, "run it through the program front_end");

function unreachable(value: never): never {
  throw new Error(`not described: ${JSON.stringify(value)}`);
}

async function signIn(email: string, password: string): Promise<Client<paths>> {
  const client = createClient<paths>({ baseUrl: baseUrl! });
  const { data, error } = await client.POST("/auth/login", { body: { email, password } });
  if (error) {
    switch (error.code) {
      case "credentials_wrong":
      case "no_active_company":
      case "pending_approval":
      case "wrong_company":
        throw new Error(error.detail);
      case "invalid":
        throw new Error(error.errors?.map(({ field, message }) => `${field}: ${message}`).join("\n"));
      case "rate_limited":
      case "too_many_failures":
      case "unavailable":
        throw new Error("again, after Retry-After");
      case "malformed":
      case "payload_too_large":
      case "unsupported_media_type":
      case "internal":
        throw new Error(`a fault of ours: ${error.request_id}`);
      default:
        return unreachable(error);
    }
  }
  if ("challenge" in data) throw new Error("a code is asked for: /auth/login/verify");
  const { access_token } = data;
  client.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${access_token}`);
      return request;
    },
  });
  return client;
}

/** Takes a conversation over; answers who has it when somebody was faster. */
async function takeOver(client: Client<paths>, id: string): Promise<"taken" | { heldBy: string | null }> {
  const { error } = await client.POST("/conversations/{id}/takeover", { params: { path: { id } }, body: {} });
  if (!error) return "taken";
  switch (error.code) {
    case "already_taken":
      return { heldBy: error.current?.assignee_name ?? null };
    case "conversation_closed":
      return { heldBy: null };
    case "client_blocked":
      throw new Error("the client is blocked: no greeting");
    case "window_closed":
      throw new Error(`only templates: ${error.current?.allowed_templates.map(({ name }) => name).join(", ")}`);
    case "not_found":
      throw new Error("out of sight");
    case "token_missing":
    case "token_invalid":
    case "token_expired":
    case "session_revoked":
    case "wrong_company":
    case "forbidden":
      throw new Error("sign in again");
    case "two_factor_required":
      throw new Error("first set up an authenticator app");
    case "invalid":
    case "malformed":
    case "payload_too_large":
    case "unsupported_media_type":
    case "internal":
      throw new Error(`a fault of ours: ${error.request_id}`);
    case "rate_limited":
    case "unavailable":
      throw new Error("again, after Retry-After");
    default:
      return unreachable(error);
  }
}

async function say(client: Client<paths>, conversation_id: string, body: string): Promise<Message> {
  const { data, error } = await client.POST("/messages", { body: { conversation_id, kind: "text", body } });
  if (!error) return data;
  switch (error.code) {
    case "bot_mode":
    case "channel_removed":
    case "client_blocked":
    case "conversation_closed":
    case "not_holder":
    case "not_taken":
      throw new Error(`${error.detail} ${error.current?.status}`);
    case "window_closed":
      throw new Error(`only templates: ${error.current?.allowed_templates.map(({ name }) => name).join(", ")}`);
    case "file_not_ready":
      throw new Error(`the file is ${error.current?.status}`);
    case "file_quarantined":
      throw new Error("the file is still being checked: try again in a moment");
    case "not_found":
      throw new Error("out of sight");
    case "client_message_id_reused":
    case "idempotency_key_reused":
    case "invalid":
      throw new Error(error.errors?.map(({ field, message }) => `${field}: ${message}`).join("\n"));
    case "token_missing":
    case "token_invalid":
    case "token_expired":
    case "session_revoked":
    case "wrong_company":
    case "forbidden":
      throw new Error("sign in again");
    case "two_factor_required":
      throw new Error("first set up an authenticator app");
    case "malformed":
    case "payload_too_large":
    case "unsupported_media_type":
    case "internal":
      throw new Error(`a fault of ours: ${error.request_id}`);
    case "rate_limited":
    case "unavailable":
      throw new Error("again, after Retry-After");
    default:
      return unreachable(error);
  }
}

/** What a thread shows of a message. */
function shown(message: Message): string {
  switch (message.kind) {
    case "location":
      return `${message.payload.latitude}, ${message.payload.longitude}`;
    case "contacts":
      return `${message.payload.contacts?.length} contatos`;
    case "interactive":
      return message.payload.options?.map((option) => option.title).join(" | ") ?? message.body;
    case "system":
      return message.payload.act === "taken_over" ? "assumida" : message.body;
    case "text":
      return message.payload.automatic ? `${message.body} (automática)` : message.body;
    case "image":
    case "audio":
    case "video":
    case "document":
    case "sticker":
      return `${message.file?.name} ${message.body}`;
    case "template":
    case "reaction":
    case "order":
    case "unsupported":
      return message.body;
    default:
      return unreachable(message);
  }
}

/** What an inbox does with an event. */
function heard(event: Event): string | undefined {
  switch (event.type) {
    case "message.created":
      return shown(event.data.message);
    case "conversation.assigned":
      return event.data.conversation.assignee_name ?? undefined;
    default:
      return undefined;
  }
}

const ana = await signIn(email, password);
const bia = await signIn(otherEmail, password);

const { data: inbox } = await ana.GET("/conversations", { params: { query: { category: ["pending"], order: "asc", limit: 10 } } });
assert(inbox);
const [waiting] = inbox.data;
assert(waiting, "somebody waits");
assert.equal(waiting.status, "pending");

const { data: feed } = await ana.GET("/events");
assert(feed);
assert.equal(await takeOver(ana, waiting.id), "taken");
const rival = await takeOver(bia, waiting.id);
assert(rival !== "taken" && rival.heldBy, "somebody was faster");
const sent = await say(ana, waiting.id, "Bom dia!");
assert.equal(shown(sent), "Bom dia!");
await assert.rejects(say(bia, waiting.id, "Eu também!"), /active/);

const { data: news } = await ana.GET("/events", { params: { query: { after: feed.head } } });
assert(news);
const words = news.data.map(heard);
assert(words.includes("Bom dia!") && words.includes(rival.heldBy), words.join("\n"));

const { data: ticket } = await ana.POST("/realtime/tickets");
assert(ticket);
assert(new URL(ticket.url).searchParams.get("ticket"), "its URL opens as it is");
console.log("the typed client signs in, lists, takes over, sends and handles each problem");
