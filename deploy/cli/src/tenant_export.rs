//! `vintem tenant export`: a folder with everything of one tenant, one file per kind of thing, one line per thing.
//!
//! ```text
//! page ─► lines at the end of a file ─► synced ─► progress.json says so ─► the next page
//!                                                  └─ all parts whole ─► manifest.json, and progress.json goes
//! ```
//!
//! What is behind the last noted byte of a file was written by somebody who died, and is cut off. The point up to which is
//! exported is chosen once, so that files of an export that took days belong together.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read as _, Seek, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;
use vintem_core::access::{self, AccessError, Tenant};
use vintem_core::tenant_export::{self, Part, Point, Scope};

use crate::commands::tenant::shown;
use crate::progress::Progress;

/// How far an export has come.
const PROGRESS: &str = "progress.json";
/// What it is made of, once it is whole.
const MANIFEST: &str = "manifest.json";

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum TenantExportError {
    /// There is something else in the folder.
    #[error("{} holds something else than an export of this tenant; name an empty folder", .0.display())]
    Occupied(PathBuf),
    /// Nothing was ever recorded in the shard.
    #[error("the shard's log is empty")]
    NoLog,
    /// The log was restored to before the export's point.
    #[error("the log was restored to before the point of this export; begin anew in another folder")]
    Restored,
    /// A file.
    #[error("cannot write {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The tenant.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database.
    #[error("the database could not be read; repeat the command to go on")]
    Database(#[from] sqlx::Error),
}

/// How far a file has come.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Written {
    lines: u64,
    bytes: u64,
    after: Option<String>,
    is_whole: bool,
}

/// What an interrupted export says of itself.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    tenant: Uuid,
    shard: i16,
    position: i64,
    batch: i64,
    tip: String,
    began_at: DateTime<Utc>,
    parts: BTreeMap<String, Written>,
}

/// An export that is being written.
pub struct Export {
    pool: PgPool,
    folder: PathBuf,
    scope: Scope,
    noted: Noted,
}

/// Writes the whole export, or the rest of it; answers the manifest.
pub async fn run(
    pool: &PgPool,
    tenant: &Tenant,
    folder: &Path,
    now: DateTime<Utc>,
) -> Result<Value, TenantExportError> {
    if let Some(manifest) = manifest(folder, tenant.tenant)? {
        return Ok(manifest);
    }
    let mut export = Export::open(pool, tenant, folder, now).await?;
    let mut progress = Progress::start("events", u64::try_from(export.scope.point.position).unwrap_or_default());
    let mut reached: u64 = 0;
    while export.step().await? {
        let events = export.noted.parts.get(Part::Events.as_str());
        let position = events.and_then(|events| events.after.as_deref()).and_then(|after| after.parse().ok());
        progress.add(position.unwrap_or(reached).saturating_sub(reached));
        reached = position.unwrap_or(reached);
    }
    progress.finish();
    export.finish(now).await
}

/// The manifest of an export that is whole.
fn manifest(folder: &Path, tenant: Uuid) -> Result<Option<Value>, TenantExportError> {
    let Ok(bytes) = fs::read(folder.join(MANIFEST)) else { return Ok(None) };
    let manifest: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let is_of_it = manifest["tenant"]["tenant"] == json!(tenant);
    if is_of_it { Ok(Some(manifest)) } else { Err(TenantExportError::Occupied(folder.to_owned())) }
}

impl Export {
    /// Begins an export, or goes on with the one that the folder holds.
    pub async fn open(
        pool: &PgPool,
        tenant: &Tenant,
        folder: &Path,
        now: DateTime<Utc>,
    ) -> Result<Self, TenantExportError> {
        let failed = |source| TenantExportError::File { path: folder.to_owned(), source };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let occupied = || TenantExportError::Occupied(folder.to_owned());
        let noted = match fs::read(folder.join(PROGRESS)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| occupied())?,
            Err(_) if fs::read_dir(folder).map_err(failed)?.next().is_some() => return Err(occupied()),
            Err(_) => begun(pool, tenant, now).await?,
        };
        let point = noted.point().filter(|_| noted.tenant == tenant.tenant).ok_or_else(occupied)?;
        if !tenant_export::is_still_there(pool, noted.shard, &point).await? {
            return Err(TenantExportError::Restored);
        }
        let scope = Scope { shard: noted.shard, tenant: noted.tenant, point };
        let export = Self { pool: pool.clone(), folder: folder.to_owned(), scope, noted };
        export.note()?;
        Ok(export)
    }

    /// Writes one page. `false`: nothing is missing any more.
    pub async fn step(&mut self) -> Result<bool, TenantExportError> {
        let written = |part: Part| self.noted.parts.get(part.as_str()).cloned().unwrap_or_default();
        let Some(part) = Part::ALL.into_iter().find(|part| !written(*part).is_whole) else { return Ok(false) };
        let mut written = written(part);
        let page = tenant_export::page(&self.pool, &self.scope, part, written.after.as_deref()).await?;
        let mut bytes = page.lines.join("\n").into_bytes();
        if !bytes.is_empty() {
            bytes.push(b'\n');
        }
        let path = self.file(part);
        append(&path, written.bytes, &bytes).map_err(|source| TenantExportError::File { path, source })?;
        written.bytes += u64::try_from(bytes.len()).unwrap_or_default();
        written.lines += u64::try_from(page.lines.len()).unwrap_or_default();
        (written.is_whole, written.after) = (page.next.is_none(), page.next.or(written.after));
        self.noted.parts.insert(part.as_str().to_owned(), written);
        self.note()?;
        Ok(true)
    }

    /// Says what the export is made of. Every file is read once more for its digest.
    pub async fn finish(self, now: DateTime<Utc>) -> Result<Value, TenantExportError> {
        let mut files = Vec::new();
        for part in Part::ALL {
            let path = self.file(part);
            let written = self.noted.parts.get(part.as_str()).cloned().unwrap_or_default();
            // Whoever died in the last page may have left a part of it.
            let digest = append(&path, written.bytes, &[]).and_then(|()| digest(&path));
            let digest = digest.map_err(|source| TenantExportError::File { path: path.clone(), source })?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push(json!({"name": name, "lines": written.lines, "bytes": written.bytes, "sha256": digest}));
        }
        let mut connection = self.pool.acquire().await?;
        let tenant = access::show_tenant(&mut connection, self.noted.tenant).await?;
        let Noted { position, batch, ref tip, began_at, .. } = self.noted;
        let manifest = json!({
            "format": "vintem-tenant-export/1", "written_by": env!("CARGO_PKG_VERSION"), "tenant": shown(&tenant),
            "up_to": {"position": position, "batch": batch, "tip": tip}, "began_at": began_at, "finished_at": now, "files": files,
        });
        self.replace(MANIFEST, format!("{manifest:#}\n").as_bytes())?;
        let path = self.folder.join(PROGRESS);
        fs::remove_file(&path).map_err(|source| TenantExportError::File { path, source })?;
        Ok(manifest)
    }

    fn file(&self, part: Part) -> PathBuf {
        self.folder.join(format!("{}.ndjson", part.as_str()))
    }

    fn note(&self) -> Result<(), TenantExportError> {
        self.replace(PROGRESS, &serde_json::to_vec(&self.noted).unwrap_or_default())
    }

    /// Whoever reads the file sees the old one or the new one, whole.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), TenantExportError> {
        let path = self.folder.join(name);
        let write = || -> io::Result<()> {
            let mut beside = tempfile::NamedTempFile::new_in(&self.folder)?;
            beside.write_all(bytes)?;
            beside.as_file().sync_all()?;
            beside.persist(&path)?;
            Ok(())
        };
        write().map_err(|source| TenantExportError::File { path: path.clone(), source })
    }
}

async fn begun(pool: &PgPool, tenant: &Tenant, now: DateTime<Utc>) -> Result<Noted, TenantExportError> {
    let Point { position, seq, tip } =
        tenant_export::newest(pool, tenant.shard).await?.ok_or(TenantExportError::NoLog)?;
    let (tip, parts) = (hex(&tip), BTreeMap::new());
    Ok(Noted { tenant: tenant.tenant, shard: tenant.shard, position, batch: seq, tip, began_at: now, parts })
}

impl Noted {
    fn point(&self) -> Option<Point> {
        let mut tip = [0; 32];
        for (index, byte) in tip.iter_mut().enumerate() {
            *byte = u8::from_str_radix(self.tip.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        Some(Point { position: self.position, seq: self.batch, tip })
    }
}

/// Cuts a file to what is known to be whole, and adds to it. Nobody but its owner may read it.
fn append(path: &Path, whole: u64, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    if file.metadata()?.len() < whole {
        return Err(io::Error::other("it is shorter than it was; begin anew in another folder"));
    }
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    file.write_all(bytes)?;
    file.sync_data()
}

fn digest(path: &Path) -> io::Result<String> {
    let (mut file, mut context) = (BufReader::new(File::open(path)?), Context::new(&SHA256));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex(context.finish().as_ref()));
        }
        context.update(&buffer[..count]);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
