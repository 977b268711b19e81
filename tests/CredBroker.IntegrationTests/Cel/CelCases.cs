using System.Globalization;
using CredBroker.Testing;

namespace CredBroker.IntegrationTests.Cel;

/// <summary>Random expressions whose types fit, so that what is compared is what they mean.</summary>
internal sealed class CelCases(ulong seed)
{
    private readonly Dice _dice = new(seed);
    private int _variables;

    // Ints that macros have in scope.
    private readonly List<string> _scope = [];

    /// <summary>An expression that gives a bool, a number or a string.</summary>
    public string Next()
    {
        var depth = 1 + _dice.Below(5);
        return _dice.Of<Func<int, string>>([Bool, Bool, Bool, Int, Uint, Double, Text])(depth);
    }

    private string Bool(int depth) =>
        depth <= 0
            ? _dice.Of(["true", "false"])
            : _dice.Of<Func<int, string>>([
                at => $"({Bool(at)} && {Bool(at)})",
                at => $"({Bool(at)} || {Bool(at)})",
                at => $"!({Bool(at)})",
                at => $"({Bool(at)} ? {Bool(at)} : {Bool(at)})",
                at => Compared(Int(at), Int(at)),
                at => Compared(Uint(at), Uint(at)),
                at => Compared(Double(at), Double(at)),
                at => Compared(Text(at), Text(at)),
                at => Compared(Duration(at), Duration(at)),
                at => Compared(Timestamp(at), Timestamp(at)),
                _ => Compared(Number(), Number()),
                at => $"({Int(at)} in {List(at)})",
                at => $"({Text(at)} in {Map(at)})",
                at => $"({List(at)} {Equality()} {List(at)})",
                at => $"({Map(at)} {Equality()} {Map(at)})",
                at => $"(dyn({Any(at)}) {Equality()} dyn({Any(at)}))",
                at => $"{Text(at)}.{_dice.Of(["startsWith", "endsWith", "contains"])}({Text(at)})",
                at => $"{Text(at)}.matches({Pattern()})",
                at => $"has({Map(at)}.{_dice.Of(["a", "b"])})",
                at => $"{List(at)}.{_dice.Of(["all", "exists", "exists_one"])}({Inner(at, Bool)})",
                at => $"bool({_dice.Of(["'true'", "'f'", "'yes'", Bool(at)])})",
            ])(depth - 1);

    private string Int(int depth) =>
        depth <= 0
            ? _dice.Of([
                "0",
                "1",
                "-1",
                "2",
                "3",
                "7",
                "-7",
                "9223372036854775807",
                "-9223372036854775808",
                "0x10",
                .. _scope,
            ])
            : _dice.Of<Func<int, string>>([
                at => $"({Int(at)} {_dice.Of(["+", "-", "*", "/", "%"])} {Int(at)})",
                at => $"(0 - {Int(at)})",
                at => $"({Bool(at)} ? {Int(at)} : {Int(at)})",
                at => $"size({Text(at)})",
                at => $"size({List(at)})",
                at => $"{Map(at)}.size()",
                at => $"size({Bytes(at)})",
                at => $"{List(at)}[{_dice.Of(["0", "1", "2", Int(at)])}]",
                at => $"{Map(at)}['{_dice.Of(["a", "b"])}']",
                at => $"{Map(at)}.{_dice.Of(["a", "b"])}",
                at => $"int({_dice.Of([Int(at), Uint(at), Double(at), "'42'", "'x'", "'-5'"])})",
                at => $"int({Timestamp(at)})",
                at => $"{Duration(at)}.{_dice.Of(["getHours", "getMinutes", "getSeconds"])}()",
                at => $"{Timestamp(at)}.{DatePart()}()",
                at => $"{Timestamp(at)}.{TimePart()}({_dice.Of(["", "'+11:00'", "'-02:30'", "'UTC'"])})",
                at => Int(at - 1),
            ])(depth - 1);

    private string Uint(int depth) =>
        depth <= 0
            ? _dice.Of(["0u", "1u", "2u", "7u", "18446744073709551615u"])
            : _dice.Of<Func<int, string>>([
                at => $"({Uint(at)} {_dice.Of(["+", "-", "*"])} {Uint(at)})",
                at => $"({Uint(0)[..1]}u {_dice.Of(["/", "%"])} {Uint(0)[..1]}u)",
                at => $"uint({_dice.Of([Int(at), Uint(at), Double(at), "'42'", "'-1'"])})",
                at => $"({Bool(at)} ? {Uint(at)} : {Uint(at)})",
            ])(depth - 1);

    private string Double(int depth) =>
        depth <= 0
            ? _dice.Of(["0.0", "-0.0", "1.0", "1.5", "-2.25", "1e300", "9223372036854775807.0", "0.1"])
            : _dice.Of<Func<int, string>>([
                at => $"({Double(at)} {_dice.Of(["+", "-", "*", "/"])} {Double(at)})",
                at => $"-({Double(at)})",
                at => $"double({_dice.Of([Int(at), Uint(at), Double(at), "'1.5'"])})",
                at => $"({Bool(at)} ? {Double(at)} : {Double(at)})",
            ])(depth - 1);

    private string Text(int depth) =>
        depth <= 0
            ? _dice.Of([
                "''",
                "'a'",
                "\"b\"",
                "'ab'",
                "'abab'",
                "'Straße'",
                "'\\u00e9'",
                "'e\\u0301'",
                "'\\U0001f431'",
                "r'\\d'",
                "'''it's'''",
                "'\\n'",
            ])
            : _dice.Of<Func<int, string>>([
                at => $"({Text(at)} + {Text(at)})",
                at => $"({Bool(at)} ? {Text(at)} : {Text(at)})",
                at => $"string({_dice.Of([Int(at), Uint(at), Bool(at), Text(at), Bytes(at)])})",
                _ => $"string({Timestamp(0)})",
                at => $"[{Text(at)}, {Text(at)}][{_dice.Of(["0", "1", "2"])}]",
                at => $"{{1: {Text(at)}, 2: {Text(at)}}}[{Int(at)}]",
            ])(depth - 1);

    private string Bytes(int depth) =>
        depth <= 0
            ? _dice.Of(["b''", "b'a'", "b'\\xff'", "b'é'"])
            : _dice.Of([$"({Bytes(depth - 1)} + {Bytes(depth - 1)})", $"bytes({Text(depth - 1)})"]);

    private string List(int depth) =>
        depth <= 0
            ? _dice.Of(["[]", "[1]", "[1, 2]", "[3, 2, 1]"])
            : _dice.Of<Func<int, string>>([
                at => $"[{Int(at)}, {Int(at)}]",
                at => $"({List(at)} + {List(at)})",
                at => $"{List(at)}.map({Inner(at, Int)})",
                at => $"{List(at)}.filter({Inner(at, Bool)})",
                at => $"({Bool(at)} ? {List(at)} : {List(at)})",
            ])(depth - 1);

    private string Map(int depth) =>
        depth <= 0
            ? _dice.Of(["{}", "{'a': 1}", "{'a': 1, 'b': 2}", "{'b': 2}"])
            : _dice.Of<Func<int, string>>([
                at => $"{{'a': {Int(at)}}}",
                at => $"{{'b': {Int(at)}, {Text(at)}: {Int(at)}}}",
                at => $"({Bool(at)} ? {Map(at)} : {Map(at)})",
            ])(depth - 1);

    private string Duration(int depth) =>
        depth <= 0
            ? _dice.Of([
                "duration('0s')",
                "duration('90m')",
                "duration('-1.5s')",
                "duration('250ms')",
                "duration('1h30m')",
                "duration('3600s')",
            ])
            : _dice.Of<Func<int, string>>([
                at => $"({Duration(at)} {_dice.Of(["+", "-"])} {Duration(at)})",
                at => $"({Timestamp(at)} - {Timestamp(at)})",
                at => $"({Bool(at)} ? {Duration(at)} : {Duration(at)})",
            ])(depth - 1);

    private string Timestamp(int depth) =>
        depth <= 0
            ? _dice.Of([
                "timestamp('1970-01-01T01:00:00Z')",
                "timestamp('2009-02-13T23:31:30Z')",
                "timestamp('2009-02-13T23:31:30.123Z')",
                "timestamp('2024-02-29T12:00:00+05:30')",
                "timestamp('1969-12-31T23:59:59Z')",
                "timestamp('9999-12-31T10:00:00Z')",
            ])
            : _dice.Of<Func<int, string>>([
                at => $"({Timestamp(at)} {_dice.Of(["+", "-"])} {Duration(at)})",
                at => $"({Bool(at)} ? {Timestamp(at)} : {Timestamp(at)})",
            ])(depth - 1);

    private string Any(int depth) => _dice.Of<Func<int, string>>([Bool, _ => Number(), Text, List, Map])(depth);

    private string Compared(string left, string right) =>
        $"({left} {_dice.Of(["==", "!=", "<", "<=", ">", ">="])} {right})";

    // Beyond what a double holds exactly, implementations differ, and upstream's cases ask for the nearest double.
    private string Number() => _dice.Of(["0", "1", "-7", "0u", "1u", "7u", "-0.0", "1.0", "1.5", "-7.0"]);

    private string Equality() => _dice.Of(["==", "!="]);

    private string DatePart() => _dice.Of(["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek"]);

    private string TimePart() => _dice.Of(["getHours", "getMinutes", "getSeconds", "getMilliseconds"]);

    private string Pattern() => _dice.Of(["'^a'", "'b$'", "'^(ab)+$'", "'[a-z]+'", "'a|é'", "'^$'", "'.'"]);

    private string Inner(int depth, Func<int, string> body)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"v{_variables++}");
        _scope.Add(name);
        var inner = $"{name}, {body(depth)}";
        _scope.RemoveAt(_scope.Count - 1);
        return inner;
    }
}
