-- A ledger of the first version (schema 0001), before a morning's work: what `make_base` made then.
PRAGMA application_id = 1330529603;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'onecard','0001_books','2026-11-24 18:24:51.191760+00:00');
CREATE TABLE accounts (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    label TEXT NOT NULL,
    balance_fen INTEGER NOT NULL CHECK (balance_fen BETWEEN -1000000000000000 AND 1000000000000000),
    held_fen INTEGER NOT NULL CHECK (held_fen >= 0),
    CHECK (kind <> 'holder' OR balance_fen >= held_fen)
) STRICT;
INSERT INTO "accounts" VALUES(1,'bank','银行 bank',0,0);
INSERT INTO "accounts" VALUES(2,'cash','现金 cash',-29000,0);
INSERT INTO "accounts" VALUES(3,'fees','手续费 fees',0,0);
INSERT INTO "accounts" VALUES(4,'loss','学校承担 school''s loss',0,0);
INSERT INTO "accounts" VALUES(5,'suspense','待查 suspense',0,0);
INSERT INTO "accounts" VALUES(6,'channel','支付宝 Alipay',0,0);
INSERT INTO "accounts" VALUES(7,'channel','微信 WeChat',0,0);
INSERT INTO "accounts" VALUES(100,'holder','张小雨',20000,0);
INSERT INTO "accounts" VALUES(101,'holder','李强',9000,0);
INSERT INTO "accounts" VALUES(102,'mirror','卡 card 00000001',0,0);
INSERT INTO "accounts" VALUES(103,'mirror','卡 card 00000002',0,0);
INSERT INTO "accounts" VALUES(104,'merchant','北区浴室',0,0);
INSERT INTO "accounts" VALUES(105,'merchant','第一食堂',0,0);
CREATE TABLE actives (
    terminal INTEGER NOT NULL REFERENCES terminals,
    resource INTEGER NOT NULL,
    version INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (terminal, resource)
) STRICT, WITHOUT ROWID;
CREATE TABLE annexes (
    key INTEGER PRIMARY KEY,
    content BLOB NOT NULL
) STRICT;
CREATE TABLE cards (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 4294967295),
    account INTEGER NOT NULL REFERENCES holders,
    mirror INTEGER NOT NULL UNIQUE REFERENCES accounts,
    uid BLOB NOT NULL UNIQUE CHECK (length(uid) IN (4, 7)),
    holder_class INTEGER NOT NULL CHECK (holder_class BETWEEN 0 AND 15),
    expiry_day INTEGER NOT NULL CHECK (expiry_day BETWEEN 0 AND 65535),
    key_version INTEGER NOT NULL CHECK (key_version BETWEEN 1 AND 255),
    denied_s INTEGER,
    denied_for TEXT NOT NULL
) STRICT;
INSERT INTO "cards" VALUES(1,100,102,X'04000001',0,65535,1,NULL,'');
INSERT INTO "cards" VALUES(2,101,103,X'04000002',0,65535,1,NULL,'');
CREATE TABLE commits (
    number INTEGER PRIMARY KEY,
    first_key INTEGER NOT NULL,
    last_key INTEGER NOT NULL CHECK (last_key >= first_key),
    at_s INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;
INSERT INTO "commits" VALUES(1,140771848093712,140771848093712,1795500000,X'9A8C5A0753513A9085F434511EBAEF4B2121D00D51CB2FA2B7724A5933D8AA14');
INSERT INTO "commits" VALUES(2,140771848093728,140771848093728,1795500000,X'C3942017E97A0337008B2E08135A83FA735CF1DB2382245ADB0083D13D004044');
CREATE TABLE epochs (
    terminal INTEGER NOT NULL REFERENCES terminals,
    epoch INTEGER NOT NULL CHECK (epoch BETWEEN 1 AND 4095),
    high_water INTEGER NOT NULL CHECK (high_water BETWEEN 0 AND 2147483647),
    is_closed INTEGER NOT NULL CHECK (is_closed IN (0, 1)),
    list_version INTEGER NOT NULL,
    PRIMARY KEY (terminal, epoch)
) STRICT, WITHOUT ROWID;
INSERT INTO "epochs" VALUES(1,1,2,0,0);
INSERT INTO "epochs" VALUES(100,1,0,0,0);
INSERT INTO "epochs" VALUES(101,1,0,0,0);
CREATE TABLE facts (
    key INTEGER PRIMARY KEY CHECK (key > 0 AND (key & 15) = 0),
    record BLOB NOT NULL CHECK (length(record) = 64)
) STRICT;
CREATE TABLE holders (
    account INTEGER PRIMARY KEY REFERENCES accounts,
    number TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    holder_class INTEGER NOT NULL CHECK (holder_class BETWEEN 0 AND 15),
    is_closed INTEGER NOT NULL CHECK (is_closed IN (0, 1))
) STRICT;
INSERT INTO "holders" VALUES(100,'20260001','张小雨',0,0);
INSERT INTO "holders" VALUES(101,'20260002','李强',0,0);
CREATE TABLE holds (
    key INTEGER PRIMARY KEY CHECK (key > 0 AND (key & 15) = 0),
    account INTEGER NOT NULL REFERENCES accounts,
    kind TEXT NOT NULL CHECK (kind IN ('sale', 'shower', 'load', 'booking', 'purse')),
    state TEXT NOT NULL CHECK (state IN ('asked', 'taken')),
    amount_fen INTEGER NOT NULL CHECK (amount_fen >= 0),
    used_fen INTEGER NOT NULL CHECK (used_fen >= 0),
    subject_kind INTEGER NOT NULL,
    subject INTEGER NOT NULL,
    asked_fen INTEGER NOT NULL,
    code BLOB NOT NULL
) STRICT;
CREATE TABLE items (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    at_s INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    key INTEGER NOT NULL,
    amount_fen INTEGER NOT NULL,
    evidence BLOB NOT NULL,
    is_open INTEGER NOT NULL CHECK (is_open IN (0, 1))
) STRICT;
CREATE TABLE movements (
    key INTEGER PRIMARY KEY CHECK (key > 0),
    debit INTEGER NOT NULL REFERENCES accounts,
    credit INTEGER NOT NULL REFERENCES accounts,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    record BLOB CHECK (record IS NULL OR (length(record) = 64 AND (key & 15) = 0)),
    CHECK (debit <> credit)
) STRICT;
INSERT INTO "movements" VALUES(140771848093712,2,100,20000,X'01200100010001000000E046F90C0A640000000000000000000000204E00000000010000000000000000000000000000000000000000000037E82AB451F24EA7');
INSERT INTO "movements" VALUES(140771848093728,2,101,9000,X'01200100010002000000E046F90C0A650000000000000000000000282300000000010000000000000000000000000000000000000000000065393CA15D4891DE');
CREATE TABLE places (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    house TEXT NOT NULL,
    merchant INTEGER NOT NULL REFERENCES accounts
) STRICT;
INSERT INTO "places" VALUES(1,'北区浴室 12 号','北区浴室',104);
INSERT INTO "places" VALUES(2,'第一食堂 03 窗口','第一食堂',105);
INSERT INTO "places" VALUES(3,'北区浴室 13 号','北区浴室',104);
CREATE TABLE reservations (
    key INTEGER PRIMARY KEY,
    terminal INTEGER NOT NULL REFERENCES terminals,
    house TEXT NOT NULL,
    day INTEGER NOT NULL,
    account INTEGER NOT NULL REFERENCES holders,
    held_fen INTEGER NOT NULL CHECK (held_fen > 0),
    from_s INTEGER NOT NULL,
    until_s INTEGER NOT NULL CHECK (until_s > from_s),
    try_count INTEGER NOT NULL,
    lookup BLOB NOT NULL,
    stall_epoch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'used', 'cancelled', 'freed')),
    gone_version INTEGER
) STRICT;
CREATE TABLE resources (
    terminal INTEGER NOT NULL REFERENCES terminals,
    resource INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    size INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (terminal, resource, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE settlements (
    opened INTEGER PRIMARY KEY,
    settled INTEGER NOT NULL UNIQUE
) STRICT;
CREATE TABLE terminals (
    number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 65535),
    kind TEXT NOT NULL CHECK (kind IN ('shower', 'pos', 'host')),
    role TEXT NOT NULL,
    place INTEGER REFERENCES places,
    line INTEGER NOT NULL CHECK (line >= 0),
    address INTEGER NOT NULL CHECK (address BETWEEN 0 AND 32),
    key_version INTEGER NOT NULL CHECK (key_version BETWEEN 1 AND 255),
    epoch INTEGER NOT NULL CHECK (epoch BETWEEN 0 AND 4095),
    firmware TEXT NOT NULL,
    CHECK ((number < 100) = (kind = 'host')),
    CHECK ((kind = 'host') = (place IS NULL))
) STRICT;
INSERT INTO "terminals" VALUES(1,'host','serve',NULL,0,0,1,1,'');
INSERT INTO "terminals" VALUES(100,'shower','',1,1,1,1,1,'test');
INSERT INTO "terminals" VALUES(101,'pos','',2,1,2,1,1,'test');
INSERT INTO "terminals" VALUES(102,'shower','',3,1,3,1,0,'');
CREATE TABLE writings (
    card INTEGER NOT NULL REFERENCES cards,
    counter INTEGER NOT NULL,
    terminal INTEGER NOT NULL,
    sequence_low INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    epoch_low INTEGER NOT NULL,
    amount_fen INTEGER NOT NULL,
    told_by INTEGER NOT NULL,
    PRIMARY KEY (card, counter, terminal, sequence_low, kind, epoch_low, amount_fen)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX cards_account ON cards (account);
CREATE UNIQUE INDEX terminals_address ON terminals (line, address) WHERE line > 0;
CREATE INDEX holds_account ON holds (account);
CREATE UNIQUE INDEX items_once ON items (kind, terminal, key, evidence);
CREATE UNIQUE INDEX reservations_code ON reservations (house, day, lookup);
CREATE INDEX reservations_terminal ON reservations (terminal, state);
CREATE TRIGGER movements_no_update BEFORE UPDATE ON movements BEGIN SELECT RAISE(ABORT, 'movements: what is posted is never changed, it is reversed'); END;
CREATE TRIGGER movements_no_delete BEFORE DELETE ON movements BEGIN SELECT RAISE(ABORT, 'movements: what is posted is never changed, it is reversed'); END;
CREATE TRIGGER facts_no_update BEFORE UPDATE ON facts BEGIN SELECT RAISE(ABORT, 'facts: what is posted is never changed, it is reversed'); END;
CREATE TRIGGER facts_no_delete BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'facts: what is posted is never changed, it is reversed'); END;
CREATE TRIGGER annexes_no_update BEFORE UPDATE ON annexes BEGIN SELECT RAISE(ABORT, 'annexes: what is posted is never changed, it is reversed'); END;
CREATE TRIGGER annexes_no_delete BEFORE DELETE ON annexes BEGIN SELECT RAISE(ABORT, 'annexes: what is posted is never changed, it is reversed'); END;
CREATE TRIGGER settlements_no_update BEFORE UPDATE ON settlements BEGIN SELECT RAISE(ABORT, 'settlements: what is posted is never changed, it is reversed'); END;
CREATE TRIGGER settlements_no_delete BEFORE DELETE ON settlements BEGIN SELECT RAISE(ABORT, 'settlements: what is posted is never changed, it is reversed'); END;
CREATE TRIGGER commits_no_update BEFORE UPDATE ON commits BEGIN SELECT RAISE(ABORT, 'commits: what is posted is never changed, it is reversed'); END;
CREATE TRIGGER commits_no_delete BEFORE DELETE ON commits BEGIN SELECT RAISE(ABORT, 'commits: what is posted is never changed, it is reversed'); END;
CREATE TRIGGER movements_once BEFORE INSERT ON movements WHEN EXISTS (SELECT 1 FROM movements WHERE key = NEW.key) OR EXISTS (SELECT 1 FROM facts WHERE key = NEW.key) BEGIN SELECT RAISE(ABORT, 'one name, one content: this name is posted already'); END;
CREATE TRIGGER facts_once BEFORE INSERT ON facts WHEN EXISTS (SELECT 1 FROM facts WHERE key = NEW.key) OR EXISTS (SELECT 1 FROM movements WHERE key = NEW.key) BEGIN SELECT RAISE(ABORT, 'one name, one content: this name is posted already'); END;
COMMIT;
