//! The parser: recursive descent over the grammar of RFC 7644, figure 1, with its precedence of grouping, `not`, `and`,
//! `or`. It recurses into parentheses, brackets and `not` only, and no deeper than [`MAX_DEPTH`].

use alloc::boxed::Box;
use alloc::format;

use super::typing::compare;
use super::{Filter, Operator};
use crate::json::{self, Object, Value};
use crate::language::error::{Error, Result};
use crate::language::path::{AttributePath, is_name_character, resolve_attribute, resolve_elsewhere};
use crate::language::schema::{Attribute, ResourceType, Type};
use crate::text::quoted;

/// How long the text of a filter may be, in bytes. Room for a lookup of 200 ids, and more than most servers take as a
/// URL.
pub(super) const MAX_LENGTH: usize = 10_000;

/// How many attributes a filter may test: each test costs time on every resource that is looked at.
pub(super) const MAX_TERMS: usize = 256;

/// How deep parentheses and `not` may be nested. Filters that people write need 3; this many take less than a quarter
/// of the guest's stack of 128 KiB.
pub(super) const MAX_DEPTH: usize = 32;

const TERM: &str = "an attribute, not, or an opening parenthesis";
const OPERATOR: &str = "one of the operators eq, ne, co, sw, ew, gt, ge, lt, le, pr";
const LITERAL: &str = "a string in double quotes, a number, true, false or null";

/// Reads a filter on resources of a type.
///
/// # Errors
/// `invalidFilter` when it is malformed, too long, or compares what cannot be compared.
pub fn parse<'a>(resource_type: &'static ResourceType, text: &'a str) -> Result<Filter<'a>> {
    read(Names::Resource(resource_type), text)
}

/// Reads what a filter on resources of all types means for those of one type. An attribute that the type does not have
/// has no value.
///
/// # Errors
/// As [`parse`]; every attribute that it names must belong to at least one type.
pub fn parse_for_one_of_all<'a>(resource_type: &'static ResourceType, text: &'a str) -> Result<Filter<'a>> {
    read(Names::OneOfAll(resource_type), text)
}

fn read(names: Names, text: &str) -> Result<Filter<'_>> {
    let mut parser = Parser::new(text)?;
    let filter = parser.filter(Context { names, depth: 0 })?;
    parser.end("and, or, or the end")?;
    Ok(filter)
}

/// Where in the filter the parser is: which names it meets there, and how deep it is.
#[derive(Clone, Copy)]
pub(super) struct Context {
    names: Names,
    depth: usize,
}

/// What names stand for.
#[derive(Clone, Copy)]
enum Names {
    /// Attributes of a resource.
    Resource(&'static ResourceType),
    /// The same in a search over resources of all types: attributes that this type lacks may belong to another.
    OneOfAll(&'static ResourceType),
    /// Sub-attributes of an attribute, inside its brackets.
    Element(&'static Attribute),
}

impl Context {
    /// Inside the brackets after a complex attribute.
    pub(super) fn element(attribute: &'static Attribute) -> Self {
        Context { names: Names::Element(attribute), depth: 0 }
    }

    /// An attribute of another type, if resources of all types are searched.
    fn resolve_elsewhere(self, name: &str) -> Option<AttributePath> {
        match self.names {
            Names::OneOfAll(resource_type) => resolve_elsewhere(resource_type, name),
            Names::Resource(_) | Names::Element(_) => None,
        }
    }

    fn deeper(self) -> Result<Self> {
        if self.depth == MAX_DEPTH {
            return Err(Error::invalid_filter(format!("the filter is nested more than {MAX_DEPTH} deep")));
        }
        Ok(Context { depth: self.depth + 1, ..self })
    }

    fn resolve(self, name: &str) -> Result<AttributePath> {
        match self.names {
            Names::Resource(resource_type) | Names::OneOfAll(resource_type) => resolve_attribute(resource_type, name),
            Names::Element(attribute) => match attribute.sub_attribute(name) {
                Some(found) => Ok(AttributePath { extension: None, attribute: found, sub_attribute: None }),
                None => Err(Error::invalid_filter(format!("{} has no sub-attribute {}", attribute.name, quoted(name)))),
            },
        }
    }
}

/// A filter, or a PATCH path with one in it, and how far it has been read.
pub(super) struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    terms: usize,
}

impl<'a> Parser<'a> {
    /// A parser at the start of a text.
    ///
    /// # Errors
    /// `invalidFilter` when the text is longer than [`MAX_LENGTH`].
    pub(super) fn new(text: &'a str) -> Result<Self> {
        if text.len() > MAX_LENGTH {
            return Err(Error::invalid_filter(format!("the filter is longer than {MAX_LENGTH} bytes")));
        }
        Ok(Parser { text, rest: text, terms: 0 })
    }

    /// Reads a filter: terms, `and`, `or`.
    ///
    /// # Errors
    /// `invalidFilter`, as everything here.
    pub(super) fn filter(&mut self, context: Context) -> Result<Filter<'a>> {
        let mut any = self.conjunction(context)?;
        while self.keyword("or") {
            any = any.or(self.conjunction(context)?);
        }
        Ok(any)
    }

    fn conjunction(&mut self, context: Context) -> Result<Filter<'a>> {
        let mut all = self.term(context)?;
        while self.keyword("and") {
            all = all.and(self.term(context)?);
        }
        Ok(all)
    }

    fn term(&mut self, context: Context) -> Result<Filter<'a>> {
        if self.keyword("not") {
            let context = context.deeper()?;
            // The parentheses of a `not` are part of it and count no deeper.
            let negated = if self.symbol('(') { self.group(context)? } else { self.term(context)? };
            return Ok(negated.negated());
        }
        if self.symbol('(') {
            return self.group(context.deeper()?);
        }
        self.test(context)
    }

    /// What follows an opening parenthesis.
    fn group(&mut self, context: Context) -> Result<Filter<'a>> {
        let filter = self.filter(context)?;
        self.close(')')?;
        Ok(filter)
    }

    /// An attribute and its test.
    fn test(&mut self, context: Context) -> Result<Filter<'a>> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(Error::invalid_filter(format!("the filter tests more than {MAX_TERMS} attributes")));
        }
        let name = self.word(TERM)?;
        match (context.resolve(name), context.resolve_elsewhere(name)) {
            (Err(_), Some(path)) => Ok(Filter::Constant(self.test_of(path, context)?.matches(&Object::new()))),
            (path, _) => self.test_of(path?, context),
        }
    }

    /// The test of an attribute: a filter in brackets, or a comparison.
    fn test_of(&mut self, path: AttributePath, context: Context) -> Result<Filter<'a>> {
        if self.symbol('[') { self.value_path(path, context) } else { self.comparison(path) }
    }

    /// What follows the bracket that opens a filter over the values of a complex attribute.
    fn value_path(&mut self, path: AttributePath, context: Context) -> Result<Filter<'a>> {
        if path.leaf().kind != Type::Complex {
            return Err(Error::invalid_filter(format!("{path} has no sub-attributes to put in brackets")));
        }
        let context = Context { names: Names::Element(path.attribute), depth: context.depth };
        let mut filter = self.filter(context)?;
        self.close(']')?;
        if self.symbol('.') {
            // Not in the RFC's grammar, but in Entra's: one more condition on the same value.
            let path = context.resolve(self.word("a sub-attribute")?)?;
            filter = filter.and(self.comparison(path)?);
        }
        Ok(Filter::ValuePath { path, filter: Box::new(filter) })
    }

    /// An operator and a literal, or `pr`.
    fn comparison(&mut self, path: AttributePath) -> Result<Filter<'a>> {
        if self.keyword("pr") {
            return Ok(Filter::Present(path));
        }
        let Some(operator) = Operator::from_keyword(self.peek_word()) else { return Err(self.expected(OPERATOR)) };
        self.word(OPERATOR)?;
        let value = self.literal()?;
        compare(path, operator, &value)
    }

    fn literal(&mut self) -> Result<Value<'a>> {
        self.skip_space();
        let text = literal_text(self.rest);
        let Some(value) = literal_value(text) else { return Err(self.expected(LITERAL)) };
        self.take(text.len());
        Ok(value)
    }

    /// The next word, without reading past it; empty if no word is next.
    fn peek_word(&mut self) -> &'a str {
        self.skip_space();
        let end = self.rest.find(|character| !is_name_character(character));
        &self.rest[..end.unwrap_or(self.rest.len())]
    }

    /// Reads a word.
    ///
    /// # Errors
    /// `invalidFilter` if no word is next.
    pub(super) fn word(&mut self, expected: &str) -> Result<&'a str> {
        match self.peek_word() {
            "" => Err(self.expected(expected)),
            word => Ok(self.take(word.len())),
        }
    }

    /// Reads this word in any letter case, if it is next.
    fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.peek_word().eq_ignore_ascii_case(keyword);
        if found {
            self.take(keyword.len());
        }
        found
    }

    /// Reads this character, if it is next.
    pub(super) fn symbol(&mut self, symbol: char) -> bool {
        self.skip_space();
        let found = self.rest.starts_with(symbol);
        if found {
            self.take(symbol.len_utf8());
        }
        found
    }

    /// Reads the parenthesis or bracket that has to close here.
    ///
    /// # Errors
    /// `invalidFilter` where it is not next.
    pub(super) fn close(&mut self, symbol: char) -> Result<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("and, or, or {symbol}"))) }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    /// Makes sure that nothing is left.
    ///
    /// # Errors
    /// `invalidFilter` where something is.
    fn end(&mut self, expected: &str) -> Result<()> {
        self.skip_space();
        if self.rest.is_empty() { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// The error for finding something other than what was expected.
    fn expected(&self, expected: &str) -> Error {
        let position = self.text[..self.text.len() - self.rest.len()].chars().count() + 1;
        let found = match self.rest {
            "" => "the end".into(),
            rest => quoted(rest),
        };
        Error::invalid_filter(format!("at character {position}: expected {expected}, found {found}"))
    }
}

/// The text of the literal at the start of `rest`: up to the closing quotation mark, or up to what ends a bare word.
fn literal_text(rest: &str) -> &str {
    let end = if rest.starts_with('"') {
        closing_quote(rest).map(|at| at + 1)
    } else {
        rest.find(|character: char| character.is_ascii_whitespace() || matches!(character, '(' | ')' | ']' | '"'))
    };
    &rest[..end.unwrap_or(rest.len())]
}

/// Where the string that starts here is closed by a quotation mark without a backslash in front of it.
fn closing_quote(rest: &str) -> Option<usize> {
    let mut is_escaped = false;
    rest.bytes().enumerate().skip(1).find_map(|(at, byte)| {
        let closes = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        closes.then_some(at)
    })
}

/// The value of a literal. The JSON names for booleans and null are taken in any letter case, as all keywords are.
fn literal_value(text: &str) -> Option<Value<'_>> {
    if text.eq_ignore_ascii_case("true") {
        return Some(Value::Bool(true));
    }
    if text.eq_ignore_ascii_case("false") {
        return Some(Value::Bool(false));
    }
    if text.eq_ignore_ascii_case("null") {
        return Some(Value::Null);
    }
    match json::parse(text) {
        Ok(value @ (Value::String(_) | Value::Number(_))) => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::error::{ScimType, Status};
    use crate::language::filter::Literal;
    use crate::language::schema::{ENTERPRISE_USER, GROUP, USER};
    use alloc::borrow::Cow;
    use alloc::string::{String, ToString};

    /// The filter as it is understood, every `and` and `or` in parentheses.
    fn understood(filter: &Filter<'_>) -> String {
        let chain = |filters: &[Filter<'_>], keyword: &str| {
            let filters: alloc::vec::Vec<String> = filters.iter().map(understood).collect();
            format!("({})", filters.join(keyword))
        };
        match filter {
            Filter::And(filters) => chain(filters, " & "),
            Filter::Or(filters) => chain(filters, " | "),
            Filter::Not(filter) => format!("!{}", understood(filter)),
            Filter::ValuePath { path, filter } => format!("{path}[{}]", understood(filter)),
            plain => plain.to_string(),
        }
    }

    fn user(text: &str) -> String {
        match parse(&USER, text) {
            Ok(filter) => understood(&filter),
            Err(error) => panic!("{text}: {}", error.detail),
        }
    }

    fn refusal(text: &str) -> String {
        let error = parse(&USER, text).expect_err(text);
        assert_eq!((error.status, error.scim_type), (Status::BadRequest, Some(ScimType::InvalidFilter)), "{text}");
        error.detail.into_owned()
    }

    #[test]
    fn the_examples_of_the_rfc_are_understood() {
        for (text, expected) in [
            (r#"userName eq "bjensen""#, r#"userName eq "bjensen""#),
            (r#"name.familyName co "O'Malley""#, r#"name.familyName co "O'Malley""#),
            (r#"userName sw "J""#, r#"userName sw "J""#),
            (r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#, r#"userName sw "J""#),
            ("title pr", "title pr"),
            (r#"meta.lastModified gt "2011-05-13T04:42:34Z""#, r#"meta.lastModified gt "2011-05-13T04:42:34Z""#),
            (r#"meta.lastModified ge "2011-05-13T04:42:34Z""#, r#"meta.lastModified ge "2011-05-13T04:42:34Z""#),
            (r#"meta.lastModified lt "2011-05-13T04:42:34Z""#, r#"meta.lastModified lt "2011-05-13T04:42:34Z""#),
            (r#"meta.lastModified le "2011-05-13T04:42:34Z""#, r#"meta.lastModified le "2011-05-13T04:42:34Z""#),
            (r#"title pr and userType eq "Employee""#, r#"(title pr & userType eq "Employee")"#),
            (r#"title pr or userType eq "Intern""#, r#"(title pr | userType eq "Intern")"#),
            (
                r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
                r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
            ),
            (
                r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
                r#"(userType eq "Employee" & (emails.value co "example.com" | emails.value co "example.org"))"#,
            ),
            (
                r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
                r#"(userType ne "Employee" & !(emails.value co "example.com" | emails.value co "example.org"))"#,
            ),
            (
                r#"userType eq "Employee" and (emails.type eq "work")"#,
                r#"(userType eq "Employee" & emails.type eq "work")"#,
            ),
            (
                r#"userType eq "Employee" and emails[type eq "work" and value co "@example.com"]"#,
                r#"(userType eq "Employee" & emails[(type eq "work" & value co "@example.com")])"#,
            ),
            (
                r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
                concat!(
                    r#"(emails[(type eq "work" & value co "@example.com")]"#,
                    r#" | ims[(type eq "xmpp" & value co "@foo.com")])"#
                ),
            ),
        ] {
            assert_eq!(user(text), expected, "{text}");
        }
    }

    #[test]
    fn not_binds_before_and_before_or() {
        for (text, expected) in [
            ("id pr or title pr and locale pr", "(id pr | (title pr & locale pr))"),
            ("id pr and title pr or locale pr", "((id pr & title pr) | locale pr)"),
            ("(id pr or title pr) and locale pr", "((id pr | title pr) & locale pr)"),
            ("not (id pr) and title pr", "(!id pr & title pr)"),
            ("not(id pr and title pr)or locale pr", "(!(id pr & title pr) | locale pr)"),
            ("not id pr and title pr", "(!id pr & title pr)"),
            ("not not (id pr)", "!!id pr"),
            ("(id pr)and(((title pr)))", "(id pr & title pr)"),
            (
                r#"emails[not (type eq "work") or primary eq true and value pr]"#,
                r#"emails[(!type eq "work" | (primary eq true & value pr))]"#,
            ),
        ] {
            assert_eq!(user(text), expected, "{text}");
        }
    }

    #[test]
    fn letter_case_and_spacing_of_what_is_no_literal_do_not_matter() {
        for (text, expected) in [
            (r#"USERNAME EQ "X" AND NOT (Title PR) oR locale Pr"#, r#"((userName eq "X" & !title pr) | locale pr)"#),
            ("  \t userName\n  eq\r\"X\"  ", r#"userName eq "X""#),
            (r#"emails [ type eq "work" ] . value eq "x""#, r#"emails[(type eq "work" & value eq "x")]"#),
            ("active eq TRUE", "active eq true"),
            ("title EQ NULL", "!title pr"),
        ] {
            assert_eq!(user(text), expected, "{text}");
        }
    }

    #[test]
    fn complex_attributes_are_compared_by_their_value() {
        for (text, expected) in [
            (r#"emails eq "x""#, r#"emails.value eq "x""#),
            (r#"groups eq "x""#, r#"groups.value eq "x""#),
            ("emails pr", "emails pr"),
            ("name pr", "name pr"),
            ("emails eq null", "!emails pr"),
            (r#"photos sw "https:""#, r#"photos.value sw "https:""#),
            (r#"x509Certificates eq "MIIB""#, r#"x509Certificates.value eq "MIIB""#),
        ] {
            assert_eq!(user(text), expected, "{text}");
        }
        let members = parse(&GROUP, r#"id eq "g" and members eq "a""#).unwrap();
        assert_eq!(understood(&members), r#"(id eq "g" & members.value eq "a")"#);
        let manager =
            parse(&USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq \"b\"").unwrap();
        assert_eq!(manager.to_string(), format!("{ENTERPRISE_USER}:manager.value eq \"b\""));
    }

    #[test]
    fn a_condition_behind_the_brackets_is_one_more_in_them() {
        for (text, expected) in [
            (r#"emails[type eq "work"].value eq "x""#, r#"emails[(type eq "work" & value eq "x")]"#),
            (
                r#"emails[type eq "work" or primary eq "True"].value sw "x" and id pr"#,
                r#"(emails[((type eq "work" | primary eq true) & value sw "x")] & id pr)"#,
            ),
            (r#"emails[type eq "work"].display pr"#, r#"emails[(type eq "work" & display pr)]"#),
        ] {
            assert_eq!(user(text), expected, "{text}");
        }
    }

    #[test]
    fn literals_are_json() {
        for (text, expected) in [
            (r#"displayName eq "a\"b\\c""#, "a\"b\\c"),
            (r#"displayName eq "x' OR '1'='1""#, "x' or '1'='1"),
            (r#"displayName eq "\u00C9\ud83d\ude00\n\/""#, "é😀\n/"),
            (r#"displayName eq "\\""#, "\\"),
            (r#"displayName eq "Größe (東京) ] [ and ""#, "größe (東京) ] [ and "),
            (r#"displayName eq """#, ""),
        ] {
            match parse(&USER, text).unwrap() {
                Filter::Compare { literal: Literal::Text { compared, .. }, .. } => assert_eq!(compared, expected),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn plain_literals_are_not_copied() {
        let filter = parse(&USER, r#"userName eq "bob@x.test""#).unwrap();
        let Filter::Compare { literal: Literal::Text { given, compared }, .. } = filter else { panic!() };
        assert!(matches!((given, compared), (Cow::Borrowed(_), Cow::Borrowed(_))));
    }

    #[test]
    fn dates_are_points_in_time() {
        let expected = user(r#"meta.created eq "2011-05-13T04:42:34Z""#);
        for text in [
            "2011-05-13T04:42:34.000Z",
            "2011-05-13T06:42:34+02:00",
            "2011-05-12T23:12:34-05:30",
            "2011-05-13T04:42:34",
            "2011-05-13t04:42:34z",
        ] {
            assert_eq!(user(&format!("meta.created eq \"{text}\"")), expected, "{text}");
        }
        assert_ne!(user(r#"meta.created eq "2011-05-13T04:42:34.001Z""#), expected);
        assert_eq!(user(r#"meta.created gt "2011-05-13""#), r#"meta.created gt "2011-05-13T00:00:00Z""#);
    }

    #[test]
    fn malformed_filters_are_refused_where_they_go_wrong() {
        for (text, expected) in [
            ("", "at character 1: expected an attribute, not, or an opening parenthesis, found the end"),
            ("  ", "at character 3: expected an attribute"),
            ("userName", "at character 9: expected one of the operators eq"),
            (r#"userName "x""#, "at character 10: expected one of the operators"),
            (
                r#"userName like "x""#,
                r#"at character 10: expected one of the operators eq, ne, co, sw, ew, gt, ge, lt, le, pr, found "like \"x\"""#,
            ),
            (r#"userName eqq "x""#, "at character 10: expected one of the operators"),
            (
                "userName eq",
                "at character 12: expected a string in double quotes, a number, true, false or null, found the end",
            ),
            (r#"userName eq "x"#, "at character 13: expected a string"),
            (r#"userName eq "x\""#, "at character 13: expected a string"),
            (r#"userName eq "\x""#, "at character 13: expected a string"),
            (r#"userName eq "\ud800""#, "at character 13: expected a string"),
            ("userName eq \"a\u{1}b\"", "at character 13: expected a string"),
            ("userName eq 'x'", "at character 13: expected a string"),
            ("userName eq bob", "at character 13: expected a string"),
            ("userName eq 1e999", "at character 13: expected a string"),
            ("userName eq {}", "at character 13: expected a string"),
            ("userName eq [1]", "at character 13: expected a string"),
            ("externalId eq 5f0c8b6e-1d7e-4b8e-9a57-0c1fbb6b8a1d", "at character 15: expected a string"),
            (r#"(userName eq "x""#, "at character 17: expected and, or, or ), found the end"),
            (r#"userName eq "x")"#, r#"at character 16: expected and, or, or the end, found ")""#),
            (r#"userName eq "x" "y""#, "at character 17: expected and, or, or the end"),
            (r#"userName eq "é" & id pr"#, "at character 17: expected and, or, or the end"),
            ("title pr and", "at character 13: expected an attribute"),
            ("title pr and or id pr", r#"User has no attribute "or""#),
            ("not", "at character 4: expected an attribute"),
            ("()", "at character 2: expected an attribute"),
            ("title pr pr", "at character 10: expected and, or"),
            (r#"emails[type eq "work""#, "at character 22: expected and, or, or ]"),
            (r#"emails[type eq "work")"#, "at character 22: expected and, or, or ]"),
            ("emails[]", "at character 8: expected an attribute"),
            (r#"emails[type eq "work"]."#, "at character 24: expected a sub-attribute"),
            (r#"emails[type eq "work"] eq "x""#, "at character 24: expected and, or, or the end"),
            (r#"emails[type eq "work"].value"#, "at character 29: expected one of the operators"),
            ("é pr", "at character 1: expected an attribute"),
        ] {
            let detail = refusal(text);
            assert!(detail.starts_with(expected), "{text}: {detail}");
        }
    }

    #[test]
    fn what_the_schema_does_not_know_is_refused() {
        for (text, expected) in [
            (r#"nonsense eq "x""#, r#"User has no attribute "nonsense""#),
            (r#"userName.x eq "x""#, r#"User has no attribute "userName.x""#),
            ("members pr", r#"User has no attribute "members""#),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr", "User has no attribute"),
            (r#"emails[nonsense eq "x"]"#, r#"emails has no sub-attribute "nonsense""#),
            (r#"emails[emails.type eq "x"]"#, r#"emails has no sub-attribute "emails.type""#),
            (r#"emails[type eq "x"].userName eq "x""#, r#"emails has no sub-attribute "userName""#),
            (r#"userName[value eq "x"]"#, "userName has no sub-attributes"),
            (r#"emails.value[value eq "x"]"#, "emails.value has no sub-attributes"),
            (r#"emails[value[type eq "x"]]"#, "value has no sub-attributes"),
        ] {
            let detail = refusal(text);
            assert!(detail.starts_with(expected), "{text}: {detail}");
        }
    }

    #[test]
    fn comparisons_that_make_no_sense_are_refused() {
        for (text, expected) in [
            ("userName eq 1", r#"userName is compared with a string in double quotes, not with "1""#),
            ("userName eq true", "userName is compared with a string"),
            ("active gt true", "active is of type boolean, for which there is no operator gt"),
            (r#"active co "tr""#, "active is of type boolean, for which there is no operator co"),
            (r#"active eq "yes""#, "active is compared with true or false"),
            ("active eq 1", "active is compared with true or false"),
            (r#"x509Certificates.value gt "MIIB""#, "x509Certificates.value is of type binary"),
            (r#"x509Certificates co "MIIB""#, "x509Certificates.value is of type binary"),
            (r#"meta.created co "2011""#, "meta.created is of type dateTime, for which there is no operator co"),
            (r#"meta.created gt "yesterday""#, "meta.created is compared with a date and time"),
            (r#"meta.created gt "2011-02-30T00:00:00Z""#, "meta.created is compared with a date and time"),
            ("meta.created gt 2011", "meta.created is compared with a date and time"),
            ("title gt null", "null is compared with eq and ne"),
            (r#"name eq "x""#, "name is complex"),
            (r#"addresses co "x""#, "addresses is complex"),
            (r#"meta eq "x""#, "meta is complex"),
        ] {
            let detail = refusal(text);
            assert!(detail.starts_with(expected), "{text}: {detail}");
        }
    }

    #[test]
    fn limits_hold() {
        let longest = |padding: usize| format!("userName eq \"{}\"", "x".repeat(padding));
        let quoting = longest(0).len();
        assert!(parse(&USER, &longest(MAX_LENGTH - quoting)).is_ok());
        assert!(refusal(&longest(MAX_LENGTH - quoting + 1)).contains("longer"));

        let chain = |terms: usize| ["id pr"].repeat(terms).join(" and ");
        assert!(parse(&USER, &chain(MAX_TERMS)).is_ok());
        assert!(refusal(&chain(MAX_TERMS + 1)).contains("more than"));

        let nested = |opening: &str, closing: &str, depth: usize| {
            format!("{}id pr{}", opening.repeat(depth), closing.repeat(depth))
        };
        for (opening, closing) in [("(", ")"), ("not (", ")"), ("not ", "")] {
            assert!(parse(&USER, &nested(opening, closing, MAX_DEPTH)).is_ok());
            assert!(refusal(&nested(opening, closing, MAX_DEPTH + 1)).contains("nested"));
        }
        assert!(refusal(&"(".repeat(MAX_LENGTH)).contains("nested"));
    }
}
