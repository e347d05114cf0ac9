//! The kinds, a row for each rule of the tables in RFC 8972 §4 and of the types behind them.

use super::{HmacTlv, Kind, Part, Piece, Value};

/// Extra Padding, which every Session-Reflector with TLVs copies and clears U.
const PADDING: Piece = Piece::Octets(&[0x80, 1, 0, 2, 0x5a, 0xa5]);
/// A type that nobody has defined.
const STRANGE: Piece = Piece::Octets(&[0x80, 200, 0, 3, 1, 2, 3]);

/// Processed: no flag.
const DONE: Part = Part::new(0, 0xff, Value::Any);
/// The same, and copied.
const COPIED: Part = Part::new(0, 0xff, Value::Same);
/// Unknown, and copied; whether C is set is for those who know it.
const UNKNOWN: Part = Part::new(0x80, 0xef, Value::Same);
/// The same of one whose sub-TLVs may have been marked.
const REFUSED: Part = Part::new(0x80, 0xef, Value::Any);
/// Malformed, and copied; U says whether the type is known.
const MALFORMED: Part = Part::new(0x40, 0x6f, Value::Same);
/// The same of one whose sub-TLVs may have been marked.
const MALFORMED_WITHIN: Part = Part::new(0x40, 0x6f, Value::Any);
/// Behind a malformed one: copied as it was sent.
const UNREAD: Part = Part::new(0x80, 0xff, Value::Same);
/// Not verified, and copied.
const FAILED: Part = Part::new(0x20, 0x2f, Value::Same);

const M_THEN_UNREAD: &str =
    "M, and what follows copied unread (or U from one that does not know the type)";
const U_AND_COPIED: &str = "U, the value copied, and the TLV behind it processed";

const fn open(
    name: &'static str,
    clause: &'static str,
    (about, expected): (&'static str, &'static str),
    sent: &'static [Piece],
    accepted: &'static [&'static [Part]],
) -> Kind {
    Kind { name, clause, about, expected, sent, accepted, integrity: HmacTlv::Last }
}

/// Every kind.
pub(super) static KINDS: [Kind; 22] = [
    open(
        "unknown-type",
        "RFC 8972 §4",
        ("a type that nobody has defined", U_AND_COPIED),
        &[STRANGE, PADDING],
        &[&[UNKNOWN, COPIED]],
    ),
    open(
        "reserved-type",
        "RFC 8972 §5.1",
        ("the types 0 and 255, which are reserved", U_AND_COPIED),
        &[Piece::Octets(&[0x80, 0, 0, 2, 7, 7]), Piece::Octets(&[0x80, 255, 0, 0]), PADDING],
        &[&[UNKNOWN, UNKNOWN, COPIED]],
    ),
    open(
        "experimental-type",
        "RFC 8972 §5.1",
        ("a type for experiments", U_AND_COPIED),
        &[Piece::Octets(&[0x80, 251, 0, 3, 1, 2, 3]), PADDING],
        &[&[UNKNOWN, COPIED]],
    ),
    open(
        "private-type",
        "RFC 8972 §5.1",
        ("a private type of an enterprise that does not exist", U_AND_COPIED),
        &[Piece::Octets(&[0x80, 253, 0, 6, 0xff, 0xff, 0xff, 0xff, 1, 2]), PADDING],
        &[&[UNKNOWN, COPIED]],
    ),
    open(
        "private-type-short",
        "RFC 8972 §4",
        (
            "a private type with no room for the enterprise number",
            "U, the value copied; or M, and what follows copied unread",
        ),
        &[Piece::Octets(&[0x80, 252, 0, 2, 1, 2]), PADDING],
        &[&[UNKNOWN, COPIED], &[MALFORMED, UNREAD]],
    ),
    open(
        "reserved-flags",
        "RFC 8972 §4",
        ("flags that are reserved", "no flag: they are ignored"),
        &[Piece::Octets(&[0x8f, 1, 0, 2, 0x5a, 0xa5])],
        &[&[COPIED]],
    ),
    open(
        "reply-flags",
        "RFC 8972 §4",
        ("M, I and C, which belong into replies", "no flag, and U alone for the unknown type"),
        &[Piece::Octets(&[0xf0, 1, 0, 2, 0x5a, 0xa5]), Piece::Octets(&[0xf0, 200, 0, 1, 9])],
        &[&[COPIED, UNKNOWN]],
    ),
    open(
        "no-flag-u",
        "RFC 8972 §4",
        ("an unknown type without the flag U", "U, set by the far end"),
        &[PADDING, Piece::Octets(&[0, 200, 0, 1, 9])],
        &[&[COPIED, UNKNOWN]],
    ),
    Kind {
        integrity: HmacTlv::Unreachable,
        ..open(
            "past-end",
            "RFC 8972 §4",
            (
                "a Length past the end of the packet",
                "M, the rest copied, and the TLV before it processed",
            ),
            &[PADDING, Piece::Octets(&[0x80, 200, 0, 64, 1, 2, 3, 4])],
            &[&[COPIED, MALFORMED]],
        )
    },
    Kind {
        integrity: HmacTlv::Unreachable,
        ..open(
            "past-end-padding",
            "RFC 8972 §4",
            (
                "Extra Padding past the end of the packet",
                "M, the rest copied, and the TLV before it processed",
            ),
            &[PADDING, Piece::Octets(&[0x80, 1, 1, 0, 1, 2, 3, 4])],
            &[&[COPIED, MALFORMED]],
        )
    },
    Kind {
        integrity: HmacTlv::Unreachable,
        ..open(
            "short-header",
            "RFC 8972 §4",
            (
                "three octets where a header of four should be",
                "M, the rest copied, and the TLV before it processed",
            ),
            &[PADDING, Piece::Octets(&[0x80, 1, 0])],
            &[&[COPIED, MALFORMED]],
        )
    },
    open(
        "wrong-length",
        "RFC 8972 §4",
        ("a Class of Service TLV of 3 octets", M_THEN_UNREAD),
        &[Piece::Octets(&[0x80, 4, 0, 3, 0, 0, 0]), PADDING],
        &[&[MALFORMED, UNREAD], &[UNKNOWN, COPIED]],
    ),
    open(
        "padding-twice",
        "RFC 8972 §4.1",
        ("Extra Padding twice, once empty", "no flag: any number is allowed"),
        &[PADDING, Piece::Octets(&[0x80, 1, 0, 0])],
        &[&[COPIED, COPIED]],
    ),
    open(
        "sub-tlv-past-end",
        "RFC 8972 §4.2.1",
        ("a Location TLV whose sub-TLV does not fit", M_THEN_UNREAD),
        &[Piece::Octets(&[0x80, 2, 0, 10, 0, 0, 0, 0, 0x80, 1, 0, 8, 0, 0]), PADDING],
        &[&[MALFORMED_WITHIN, UNREAD], &[UNKNOWN, COPIED]],
    ),
    open(
        "unknown-sub-tlv",
        "RFC 8972 §4.2.1",
        (
            "a Location TLV with a sub-TLV that nobody has defined",
            "no flag, but U of the sub-TLV (or U from one that does not tell)",
        ),
        &[Piece::Octets(&[0x80, 2, 0, 10, 0, 0, 0, 0, 0x80, 200, 0, 2, 7, 7]), PADDING],
        &[&[Part::new(0, 0xff, Value::UnknownSubTlv(4)), COPIED], &[UNKNOWN, COPIED]],
    ),
    open(
        "access-network",
        "RFC 8972 §4.6",
        ("an Access Report about no access network", U_AND_COPIED),
        &[Piece::Octets(&[0x80, 6, 0, 4, 0x70, 1, 0, 0]), PADDING],
        &[&[UNKNOWN, COPIED]],
    ),
    open(
        "follow-up-length",
        "RFC 8972 §4.7",
        (
            "a Follow-Up Telemetry TLV of 8 octets (erratum 8339)",
            "M, number and time zero, what follows copied unread (or U from one that does not know the type)",
        ),
        &[Piece::Octets(&[0x80, 7, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1]), PADDING],
        &[&[Part::new(0x40, 0x6f, Value::Zero), UNREAD], &[UNKNOWN, COPIED]],
    ),
    Kind {
        integrity: HmacTlv::Subject,
        ..open(
            "hmac-wrong",
            "RFC 8972 §4.8",
            ("an HMAC TLV that does not verify", "I on all TLVs, all of them copied"),
            &[STRANGE, PADDING, Piece::WrongHmac],
            &[&[FAILED, FAILED, FAILED]],
        )
    },
    Kind {
        integrity: HmacTlv::Subject,
        ..open(
            "hmac-misplaced",
            "RFC 8972 §4.8",
            ("an HMAC TLV in front of others", "I on all TLVs, all of them copied"),
            &[Piece::Hmac, STRANGE, PADDING],
            &[&[FAILED, FAILED, FAILED]],
        )
    },
    Kind {
        integrity: HmacTlv::Subject,
        ..open(
            "hmac-twice",
            "RFC 8972 §4.8",
            ("two HMAC TLVs", "I on all TLVs, all of them copied"),
            &[PADDING, Piece::Hmac, Piece::Hmac],
            &[&[FAILED, FAILED, FAILED]],
        )
    },
    open(
        "return-path-length",
        "RFC 9503 §4.1.2",
        ("a Return Path TLV whose address has 3 octets", M_THEN_UNREAD),
        &[Piece::Octets(&[0x80, 10, 0, 7, 0x80, 2, 0, 3, 192, 0, 2]), PADDING],
        &[&[MALFORMED_WITHIN, UNREAD], &[REFUSED, COPIED]],
    ),
    open(
        "return-path-twice",
        "RFC 9503 §4",
        ("two Return Path TLVs", "the second with U: it is ignored"),
        &[
            Piece::Octets(&[0x80, 10, 0, 8, 0x80, 1, 0, 4, 0, 0, 0, 1]),
            Piece::Octets(&[0x80, 10, 0, 8, 0x80, 1, 0, 4, 0, 0, 0, 1]),
            PADDING,
        ],
        &[&[DONE, REFUSED, COPIED], &[REFUSED, REFUSED, COPIED]],
    ),
];
