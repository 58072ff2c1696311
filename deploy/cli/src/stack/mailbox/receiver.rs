//! The wire of the mailbox. Everything is bounded: lines, letters, connections, time.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::letters;
use super::session::{Answer, LETTER_BYTES, Session};
use crate::stack::ui::say;

const CONNECTIONS: usize = 64;
/// Twice what a line of a letter may have (RFC 5321).
const LINE_BYTES: u64 = 2_000;
/// How long a connection may last.
const PATIENCE: Duration = Duration::from_mins(5);

/// Takes letters for a folder, until it is dropped.
pub async fn serve(listener: TcpListener, folder: &Path) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // Whoever finds no place waits in the kernel's queue.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let Ok((mut stream, _)) = listener.accept().await else {
            // Too many open files, for instance: nothing that goes away at once.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        let folder = folder.to_path_buf();
        tokio::spawn(async move {
            let (input, output) = stream.split();
            if let Ok(Err(error)) = timeout(PATIENCE, talk(input, output, &folder)).await {
                say(&format!("mailbox: a connection failed: {error}"));
            }
            drop(place);
        });
    }
}

/// One connection.
async fn talk(input: impl AsyncRead + Unpin, mut output: impl AsyncWrite + Unpin, folder: &Path) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut session = Session::default();
    let mut answer = Answer::Say("220 mailbox of a development stack".to_owned());
    loop {
        answer = match answer {
            Answer::Say(text) => {
                output.write_all(format!("{text}\r\n").as_bytes()).await?;
                match line(&mut input).await? {
                    None => return Ok(()),
                    Some(line) if line.ends_with(b"\n") => session.hear(String::from_utf8_lossy(&line).trim_end()),
                    Some(_) => Answer::Close("500 the line is too long"),
                }
            }
            Answer::Take => {
                output.write_all(b"354 up to a line with one dot\r\n").await?;
                match letter(&mut input).await? {
                    Some(text) => {
                        letters::keep(folder, session.login.as_deref(), &session.recipients, &text)?;
                        Answer::Say(session.begin_anew("250 kept"))
                    }
                    None => Answer::Close("552 the letter or a line of it is too long, or has no end"),
                }
            }
            Answer::Close(text) => return output.write_all(format!("{text}\r\n").as_bytes()).await,
        };
    }
}

/// A line with its end, or as much of it as a line may have; none where nothing comes any more.
async fn line(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = input.take(LINE_BYTES).read_until(b'\n', &mut line).await?;
    Ok((read > 0).then_some(line))
}

/// The text of a letter; none where it keeps no bound.
async fn letter(input: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    while let Some(line) = line(input).await? {
        if line == b".\r\n" {
            return Ok(Some(text));
        }
        if !line.ends_with(b"\n") || text.len() + line.len() > LETTER_BYTES {
            return Ok(None);
        }
        // A dot at the beginning was doubled, so that it ends nothing.
        text.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is answered to all of this; the codes alone.
    async fn codes(folder: &Path, said: &[u8]) -> Vec<String> {
        let mut output = Vec::new();
        talk(said, &mut output, folder).await.unwrap();
        let text = String::from_utf8(output).unwrap();
        let last_lines = text.lines().filter(|line| line.as_bytes().get(3) == Some(&b' '));
        last_lines.map(|line| line[..3].to_owned()).collect()
    }

    fn letter_of(text: &str) -> Vec<u8> {
        format!("HELO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<ana@b.test>\r\nDATA\r\n{text}").into_bytes()
    }

    #[tokio::test]
    async fn a_letter_is_kept_as_it_was_sent() {
        let place = tempfile::tempdir().unwrap();
        let said = letter_of("Subject: =?utf-8?B?w4dhIHZh?=\r\n\r\nol\u{e1}\r\n..\r\n.\r\nQUIT\r\n");
        assert_eq!(codes(place.path(), &said).await, ["220", "250", "250", "250", "354", "250", "221"]);
        let kept = letters::newest(place.path(), Some("ANA@b.test"), 5).unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!((kept[0].subject.as_str(), kept[0].text.trim()), ("Ça va", "olá\n."));
        assert!(letters::newest(place.path(), Some("eve@b.test"), 5).unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_keeps_no_bound_is_refused_and_not_kept() {
        let place = tempfile::tempdir().unwrap();
        let long = "x".repeat(3_000);
        assert_eq!(codes(place.path(), long.as_bytes()).await, ["220", "500"]);
        let many = "y".repeat(900) + "\r\n";
        for text in [long, many.repeat(300) + ".\r\n", "no end".to_owned()] {
            assert_eq!(codes(place.path(), &letter_of(&text)).await.last().unwrap(), "552");
        }
        assert!(letters::newest(place.path(), None, 5).unwrap().is_empty());
    }
}
