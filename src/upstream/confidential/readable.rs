//! Whether words are for somebody to read. What is not may be any text in a form that nobody has thought of.

/// Longest list of numbers in no order: the sizes that are allowed stand in order, the numbers of a text's bytes do not.
const MAX_NUMBERS: usize = 24;
/// Longest run of letters and digits without a blank, in bytes: the longest ids and digests have 64. It is also the most
/// of what is no words in all of a message: a text may be encoded in lines.
const MAX_RUN: usize = 72;
/// Shortest run without a blank in which encoded text is looked for, in bytes.
const MIN_RUN: usize = 16;
/// Longest piece of letters of one case, or of digits, that is no word by itself, in bytes.
const MAX_PIECE: usize = 3;
/// The same of capitals beside a digit, as in base32.
const MAX_CAPITALS: usize = 12;
/// Most characters that stand for bytes that were no text, and most characters that control a terminal.
const MAX_REPLACED: usize = 3;
const MAX_CONTROLS: usize = 8;

/// The words without the few characters that control a terminal, such as those of colours; `None` where they are many: a
/// text in another encoding.
pub(super) fn without_controls(words: &str) -> Option<String> {
    let is_control = |character: char| character.is_control() && !character.is_whitespace();
    if words.matches(is_control).count() > MAX_CONTROLS {
        return None;
    }
    let mut pieces = words.split(is_control);
    let mut kept = pieces.next().unwrap_or_default().to_owned();
    let mut end = kept.len();
    for piece in pieces {
        // An escape that sets a colour is `ESC [ 3 1 m`.
        let is_escape = words[end..].starts_with('\u{1b}');
        end += words[end..].chars().next().map_or(0, char::len_utf8) + piece.len();
        let parameters = piece
            .strip_prefix('[')
            .filter(|_| is_escape)
            .map(|rest| rest.trim_start_matches(|one: char| one.is_ascii_digit() || one == ';'));
        let rest = parameters.map(|rest| rest.strip_prefix(|one: char| one.is_ascii_alphabetic()).unwrap_or(rest));
        kept.push_str(rest.unwrap_or(piece));
    }
    Some(kept)
}

/// Words without long lists of numbers, long runs of digits, and much that is no word.
pub(super) fn is_readable(words: &str) -> bool {
    let replaced = words.matches(char::REPLACEMENT_CHARACTER).count();
    // Those of URLs are the caller's: signed ones are long.
    let elsewhere = || words.split_whitespace().filter(|word| !word.contains("://"));
    let mut runs =
        elsewhere().flat_map(|word| word.split(|one: char| !one.is_ascii_alphanumeric() && !"+/=_-".contains(one)));
    let is_encoded = |run: &str| run.len() > MAX_RUN && unread(run) > run.len() / 2;
    replaced <= MAX_REPLACED
        && longest_list(words) <= MAX_NUMBERS
        && !runs.any(is_encoded)
        && elsewhere()
            .filter(|word| word.len() > MIN_RUN)
            .map(unread)
            .sum::<usize>()
            <= MAX_RUN
}

/// How many bytes of a run without a blank are no words and no numbers: letters and digits that take turns, and marks that
/// no path has. Hex digits count half, since ids and digests are written so.
fn unread(run: &str) -> usize {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Lower,
        Upper,
        Digit,
        Mark,
        Usual,
    }
    let kind = |byte: &u8| match byte {
        b'a'..=b'z' => Kind::Lower,
        b'A'..=b'Z' => Kind::Upper,
        b'0'..=b'9' => Kind::Digit,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'*' | b'+' | b';' | b'<' | b'>' | b'?' | b'@' | b'\\' | b'^' | b'`'
        | b'|' | b'~' => Kind::Mark,
        _ => Kind::Usual,
    };
    let pieces: Vec<_> = run.as_bytes().chunk_by(|one, next| kind(one) == kind(next)).collect();
    let kind_at = |at: Option<usize>| {
        at.and_then(|at| pieces.get(at))
            .map_or(Kind::Usual, |piece| kind(&piece[0]))
    };
    let is_unread = |at: usize| {
        let piece = pieces[at];
        let (before, next) = (kind_at(at.checked_sub(1)), kind_at(Some(at + 1)));
        let begins_word =
            piece.len() == 1 && next == Kind::Lower && pieces.get(at + 1).is_some_and(|next| next.len() >= MAX_PIECE);
        match kind(&piece[0]) {
            Kind::Usual => false,
            Kind::Upper if begins_word => false,
            Kind::Upper if before == Kind::Digit || next == Kind::Digit => piece.len() <= MAX_CAPITALS,
            _ => piece.len() <= MAX_PIECE && (before != Kind::Usual || next != Kind::Usual),
        }
    };
    let unread: usize = (0..pieces.len())
        .filter(|at| is_unread(*at))
        .map(|at| pieces[at].len())
        .sum();
    // So is uuencode, which has all marks but no small letters.
    let has = |wanted: Kind| pieces.iter().any(|piece| kind(&piece[0]) == wanted);
    if run.is_ascii() && has(Kind::Upper) && has(Kind::Mark) && !has(Kind::Lower) {
        return run.len();
    }
    let is_hex = run
        .split(|one: char| !one.is_ascii_alphanumeric())
        .all(|part| part.len() <= MIN_RUN / 2 || part.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if is_hex { unread / 2 } else { unread }
}

/// How many numbers stand beside each other at most, but for those that rise or fall all along; hex digits are numbers too
/// where a digit is among them.
fn longest_list(words: &str) -> usize {
    let (mut longest, mut length) = (0, 0);
    let (mut rises, mut falls, mut last) = (true, true, None);
    for word in words
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let digits = word.strip_prefix("0x").unwrap_or(word);
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let is_number = is_hex && (digits.len() <= 2 || digits.contains(|digit: char| digit.is_ascii_digit()));
        if !is_number {
            (length, rises, falls, last) = (0, true, true, None);
            continue;
        }
        let value = digits.parse::<u64>().ok();
        if length > 0 {
            rises &= value.is_some() && last < value;
            falls &= value.is_some() && last > value;
        }
        last = value;
        length += 1;
        if !rises && !falls {
            longest = longest.max(length);
        }
    }
    longest
}
