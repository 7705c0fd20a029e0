// Where oidc-provider keeps what it issued: an unbounded map, SQLite, or PostgreSQL.
// Each as fast as its kind allows: rows by primary key, statements prepared once.
const GRANTABLE = new Set([
  "AccessToken", "AuthorizationCode", "RefreshToken", "DeviceCode", "BackchannelAuthenticationRequest",
]);
const seconds = () => Math.floor(Date.now() / 1000);

const TABLE = `
  CREATE TABLE IF NOT EXISTS entry (
    model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, grant_id TEXT, uid TEXT,
    expires BIGINT, PRIMARY KEY (model, id));
  CREATE INDEX IF NOT EXISTS entry_grant ON entry (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS entry_uid ON entry (uid) WHERE uid IS NOT NULL;`;
const UPSERT = (mark) => `
  INSERT INTO entry (model, id, payload, grant_id, uid, expires)
  VALUES (${[1, 2, 3, 4, 5, 6].map(mark)})
  ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
    uid = excluded.uid, expires = excluded.expires`;

const row = (model, id, payload, expiresIn) => [
  model, id, JSON.stringify(payload),
  GRANTABLE.has(model) ? payload.grantId ?? null : null,
  model === "Session" ? payload.uid : null,
  expiresIn ? seconds() + expiresIn : null,
];
const read = (found) =>
  found && (found.expires === null || Number(found.expires) > seconds())
    ? JSON.parse(found.payload)
    : undefined;

export async function map() {
  const kept = new Map();
  const members = new Map();
  const uids = new Map();
  const fresh = (found) => (found && found.expires > seconds() ? found.payload : undefined);
  return (model) => ({
    async upsert(id, payload, expiresIn) {
      kept.set(`${model}:${id}`, { payload, expires: expiresIn ? seconds() + expiresIn : Infinity });
      if (model === "Session") uids.set(payload.uid, id);
      if (GRANTABLE.has(model) && payload.grantId) {
        let those = members.get(payload.grantId);
        if (!those) members.set(payload.grantId, (those = []));
        those.push(`${model}:${id}`);
      }
    },
    async find(id) {
      return fresh(kept.get(`${model}:${id}`));
    },
    async findByUid(uid) {
      return fresh(kept.get(`${model}:${uids.get(uid)}`));
    },
    async consume(id) {
      kept.get(`${model}:${id}`).payload.consumed = seconds();
    },
    async destroy(id) {
      kept.delete(`${model}:${id}`);
    },
    async revokeByGrantId(grantId) {
      for (const key of members.get(grantId) ?? []) kept.delete(key);
      members.delete(grantId);
    },
  });
}

export async function sqlite(path) {
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(path);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 10000;");
  db.exec(TABLE);
  const upsert = db.prepare(UPSERT(() => "?"));
  const find = db.prepare("SELECT payload, expires FROM entry WHERE model = ? AND id = ?");
  const byUid = db.prepare("SELECT payload, expires FROM entry WHERE uid = ?");
  const consume = db.prepare(
    "UPDATE entry SET payload = json_set(payload, '$.consumed', ?) WHERE model = ? AND id = ?",
  );
  const destroy = db.prepare("DELETE FROM entry WHERE model = ? AND id = ?");
  const revoke = db.prepare("DELETE FROM entry WHERE grant_id = ?");
  return (model) => ({
    async upsert(id, payload, expiresIn) {
      upsert.run(...row(model, id, payload, expiresIn));
    },
    async find(id) {
      return read(find.get(model, id));
    },
    async findByUid(uid) {
      return read(byUid.get(uid));
    },
    async consume(id) {
      consume.run(seconds(), model, id);
    },
    async destroy(id) {
      destroy.run(model, id);
    },
    async revokeByGrantId(grantId) {
      revoke.run(grantId);
    },
  });
}

export async function postgres(host) {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ host, user: "bench", database: "node", max: 8 });
  await pool.query(TABLE);
  const ask = (name, text, values) => pool.query({ name, text, values });
  return (model) => ({
    async upsert(id, payload, expiresIn) {
      await ask("upsert", UPSERT((n) => `$${n}`), row(model, id, payload, expiresIn));
    },
    async find(id) {
      const text = "SELECT payload, expires FROM entry WHERE model = $1 AND id = $2";
      return read((await ask("find", text, [model, id])).rows[0]);
    },
    async findByUid(uid) {
      const text = "SELECT payload, expires FROM entry WHERE uid = $1";
      return read((await ask("uid", text, [uid])).rows[0]);
    },
    async consume(id) {
      const text = `UPDATE entry SET payload = jsonb_set(payload::jsonb, '{consumed}', to_jsonb($1::bigint))::text
        WHERE model = $2 AND id = $3`;
      await ask("consume", text, [seconds(), model, id]);
    },
    async destroy(id) {
      await ask("destroy", "DELETE FROM entry WHERE model = $1 AND id = $2", [model, id]);
    },
    async revokeByGrantId(grantId) {
      await ask("revoke", "DELETE FROM entry WHERE grant_id = $1", [grantId]);
    },
  });
}
