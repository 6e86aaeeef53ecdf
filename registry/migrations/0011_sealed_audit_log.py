"""The audit log in partitions by month, with seals, and with triggers that no setting of a session puts off (G46).

The functions ``registry_audit_*`` that need the owner's rights are run by the application's role, which owns nothing,
and do only what is lawful (docs/adr/0013).
"""

import django.db.models.functions.datetime
import pgtrigger.migrations
from django.db import migrations, models

# The column of the transaction comes before that of the number, so that a number is never given out before it.
TABLE = """
CREATE FUNCTION registry_audit_tx(xid8) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT $1::text::bigint + 0';

ALTER TABLE registry_auditevent RENAME TO registry_auditevent_before;
ALTER SEQUENCE registry_auditevent_id_seq RENAME TO registry_auditevent_before_id_seq;
CREATE SEQUENCE registry_auditevent_id_seq;
CREATE TABLE registry_auditevent (
    tx bigint NOT NULL DEFAULT registry_audit_tx(pg_current_xact_id()),
    id bigint NOT NULL DEFAULT nextval('registry_auditevent_id_seq'),
    at timestamptz NOT NULL DEFAULT statement_timestamp(),
    action text NOT NULL,
    user_id bigint,
    username text NOT NULL,
    subjects uuid[] NOT NULL,
    count integer NOT NULL CONSTRAINT registry_auditevent_count_check CHECK (count >= 0),
    basis text NOT NULL,
    origin text NOT NULL,
    outcome text NOT NULL,
    details jsonb NOT NULL,
    CONSTRAINT registry_auditevent_key PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
ALTER SEQUENCE registry_auditevent_id_seq OWNED BY registry_auditevent.id;

CREATE FUNCTION registry_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;

CREATE FUNCTION registry_audit_make_month(month timestamp) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text := 'registry_auditevent_' || to_char(month, 'YYYY_MM');
    reader text;
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE public.registry_auditevent INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                   name);
    EXECUTE format('CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON public.%I'
                   ' EXECUTE FUNCTION public.registry_audit_refuse()', name);
    EXECUTE format('ALTER TABLE public.registry_auditevent ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   name, month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
    FOR reader IN
        SELECT acl.grantee::regrole::text FROM pg_class c, aclexplode(c.relacl) acl
        WHERE c.oid = 'public.registry_auditevent'::regclass AND acl.privilege_type = 'SELECT'
          AND acl.grantee NOT IN (0, c.relowner)
    LOOP
        EXECUTE format('GRANT SELECT ON public.%I TO %s', name, reader);
    END LOOP;
END $$;

-- Attaching a partition waits for nobody who reads or writes, and lets nobody wait.
CREATE FUNCTION registry_audit_make_months(ahead integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    month timestamp;
    made integer := 0;
BEGIN
    IF ahead NOT BETWEEN 0 AND 36 THEN
        RAISE EXCEPTION 'at most three years of months are made ahead';
    END IF;
    LOCK TABLE public.registry_auditevent IN SHARE UPDATE EXCLUSIVE MODE;
    FOR month IN
        SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + n * interval '1 month' FROM generate_series(-1, ahead) n
    LOOP
        IF to_regclass('public.registry_auditevent_' || to_char(month, 'YYYY_MM')) IS NULL
           AND (month >= date_trunc('month', now() AT TIME ZONE 'UTC')
                OR NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'public.registry_auditevent'::regclass)) THEN
            PERFORM public.registry_audit_make_month(month);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;

SELECT registry_audit_make_months(24);
SELECT registry_audit_make_month(month) FROM (
    SELECT DISTINCT date_trunc('month', at AT TIME ZONE 'UTC') AS month FROM registry_auditevent_before) AS old
WHERE to_regclass('registry_auditevent_' || to_char(month, 'YYYY_MM')) IS NULL;
INSERT INTO registry_auditevent
SELECT 0, id, at, action, user_id, username, subjects, count, basis, origin, outcome, details
FROM registry_auditevent_before;
SELECT setval('registry_auditevent_id_seq', greatest(max(id), 1), max(id) IS NOT NULL) FROM registry_auditevent;
DROP TABLE registry_auditevent_before;
CREATE INDEX audit_by_transaction ON registry_auditevent (tx);
CREATE INDEX audit_by_user ON registry_auditevent (user_id, at);
CREATE INDEX audit_by_subject ON registry_auditevent USING gin (subjects);
CREATE INDEX audit_of_checks ON registry_auditevent (id) WHERE action = 'VERIFY_AUDIT';

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON registry_auditevent
    FOR EACH ROW EXECUTE FUNCTION registry_audit_refuse();
CREATE TRIGGER audit_own_time BEFORE INSERT ON registry_auditevent FOR EACH ROW
    WHEN (NEW.at <> statement_timestamp() OR NEW.tx <> registry_audit_tx(pg_current_xact_id()))
    EXECUTE FUNCTION registry_audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON registry_auditevent
    EXECUTE FUNCTION registry_audit_refuse();
"""

SEALS = """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON registry_auditseal
    FOR EACH ROW EXECUTE FUNCTION registry_audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON registry_auditseal
    EXECUTE FUNCTION registry_audit_refuse();

-- Refuses a month younger than five years, one that the log does not tell of in this very transaction, and any while an
-- inquiry holds the log. Of persons of whom nothing is left anywhere the hashes of the codes go too.
CREATE FUNCTION registry_audit_drop_month(month timestamp) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    told jsonb;
    gone integer;
BEGIN
    IF month <> date_trunc('month', month) OR now() < (month + interval '5 years 1 month') AT TIME ZONE 'UTC' THEN
        RAISE EXCEPTION 'events of the audit log are kept for five years at least';
    END IF;
    LOCK TABLE public.registry_audithold IN SHARE MODE;
    IF EXISTS (SELECT FROM public.registry_audithold WHERE released_at IS NULL) THEN
        RAISE EXCEPTION 'an inquiry holds the audit log';
    END IF;
    SELECT dropped INTO told FROM public.registry_auditseal ORDER BY number DESC LIMIT 1;
    IF told ->> 'month' IS DISTINCT FROM to_char(month, 'YYYY-MM') OR NOT EXISTS (
        SELECT FROM public.registry_auditevent
        WHERE id = (told ->> 'event')::bigint AND action = 'DROP_MONTH'
          AND tx = public.registry_audit_tx(pg_current_xact_id())
    ) THEN
        RAISE EXCEPTION 'the log has to tell first that a month is removed';
    END IF;
    DELETE FROM public.registry_subjectcode s
    WHERE s.since < (month + interval '1 month') AT TIME ZONE 'UTC'
      AND NOT EXISTS (SELECT FROM public.registry_person p WHERE p.subject = s.subject)
      AND NOT EXISTS (SELECT FROM public.registry_auditevent e WHERE e.subjects @> ARRAY[s.subject]
                      AND e.at >= (month + interval '1 month') AT TIME ZONE 'UTC');
    GET DIAGNOSTICS gone = ROW_COUNT;
    -- Last, since from here on everybody waits.
    EXECUTE format('DROP TABLE public.%I', 'registry_auditevent_' || to_char(month, 'YYYY_MM'));
    RETURN gone;
END $$;

-- After a restore into another server, whose transactions have lower numbers: the log's numbers go on from where they
-- were.
CREATE FUNCTION registry_audit_go_on() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    own bigint := registry_audit_tx(pg_current_xact_id());
    reached bigint := greatest(
        (SELECT greatest(to_tx, next_tx) - 1 FROM registry_auditseal ORDER BY number DESC LIMIT 1),
        (SELECT max(tx) FROM registry_auditevent)
    );
BEGIN
    IF reached > own THEN
        EXECUTE format(
            'CREATE OR REPLACE FUNCTION registry_audit_tx(xid8) RETURNS bigint LANGUAGE sql STABLE AS %L',
            format('SELECT $1::text::bigint + %s', registry_audit_tx('0'::xid8) + reached + 1 - own)
        );
        RETURN reached + 1 - own;
    END IF;
    RETURN 0;
END $$;

-- ANALYZE is the owner's right.
CREATE FUNCTION registry_sample_anew(tables text[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        EXECUTE format('ANALYZE public.%I', name);
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION registry_audit_make_month(timestamp), registry_audit_make_months(integer),
    registry_audit_drop_month(timestamp), registry_audit_go_on(), registry_sample_anew(text[]) FROM PUBLIC;
"""


def name_the_key(apps, schema_editor):
    """The hashes that there are were made with the key in use."""
    from registry.services import audit_keys

    apps.get_model("registry", "SubjectCode").objects.filter(key_id="").update(key_id=audit_keys.current().id)


class Migration(migrations.Migration):
    dependencies = [("registry", "0010_deceased_clients")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="auditevent", name="append_only"),
        pgtrigger.migrations.RemoveTrigger(model_name="auditevent", name="no_truncate"),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE)],
            state_operations=[
                migrations.AddField(
                    model_name="auditevent",
                    name="tx",
                    field=models.BigIntegerField(
                        editable=False,
                        db_default=models.Func(models.Func(function="pg_current_xact_id"), function="registry_audit_tx"),
                    ),
                ),
                migrations.RemoveIndex(model_name="auditevent", name="audit_by_time"),
                migrations.AddIndex(
                    model_name="auditevent", index=models.Index(fields=["tx"], name="audit_by_transaction")
                ),
                migrations.AddIndex(
                    model_name="auditevent",
                    index=models.Index(
                        fields=["id"], condition=models.Q(("action", "VERIFY_AUDIT")), name="audit_of_checks"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="subjectcode",
            name="key_id",
            field=models.TextField(default=""),
            preserve_default=False,
        ),
        migrations.RunPython(name_the_key, migrations.RunPython.noop),
        migrations.CreateModel(
            name="AuditHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.TextField()),
                ("placed_by", models.TextField()),
                ("placed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("released_by", models.TextField(blank=True)),
                ("released_at", models.DateTimeField(null=True)),
            ],
            options={"verbose_name": "hold on the audit log", "default_permissions": ()},
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("made_at", models.DateTimeField()),
                ("from_tx", models.BigIntegerField()),
                ("to_tx", models.BigIntegerField()),
                ("next_tx", models.BigIntegerField()),
                ("top_id", models.BigIntegerField()),
                ("open_since", models.DateTimeField()),
                ("months", models.JSONField()),
                ("dropped", models.JSONField(null=True)),
                ("key_id", models.TextField()),
                ("digest", models.BinaryField()),
            ],
            options={
                "verbose_name": "seal of the audit log",
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("dropped__isnull", False)), fields=["number"], name="seal_of_dropped_month"
                    )
                ],
            },
        ),
        migrations.RunSQL(SEALS),
    ]
