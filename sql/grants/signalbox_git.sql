-- The git process reserves, builds and publishes versions, and appends their leaf.
-- It reads no forecast, no subscription and no password.
revoke all on all tables in schema account, audit, registry, market, forecast, transparency, score, billing from signalbox_git;
grant usage on schema account, audit, registry, market, transparency, billing to signalbox_git;

grant select (id, handle, role) on account.user_account to signalbox_git;
grant select (user_id, fingerprint, revoked_at) on account.signing_key to signalbox_git;
grant insert on audit.event to signalbox_git;
grant select, insert on registry.signal, registry.version, registry.version_event to signalbox_git;
grant update (title, description) on registry.signal to signalbox_git;
grant update (state, reserved_at, published_at, pushed_by, commit_sha, tree_digest, manifest, lock, lock_digest, sbom,
              base_digest, dependencies_digest, source_digest, image_digest, why, provenance, scan)
  on registry.version to signalbox_git;
grant update (deterministic, leak_report) on registry.version to signalbox_git;
-- Rules and advisories are the operator's: read here, written by the owner's role alone.
grant select on registry.package_rule, registry.advisory_import, registry.advisory,
  registry.advisory_acceptance, registry.image_finding to signalbox_git;
grant select, insert on registry.signing_key to signalbox_git;
grant execute on function registry.report_image(text, text, text, timestamptz) to signalbox_git;
grant select on market.instrument to signalbox_git;
grant select, insert on transparency.leaf to signalbox_git;
grant select, insert on billing.price to signalbox_git;
grant execute on function account.find_api_key(text) to signalbox_git;
-- It refuses to start on a schema that it was not written for.
grant select on alembic_version to signalbox_git;
