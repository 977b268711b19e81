using CredBroker.Storage.Sql;
using CredBroker.Storage.Upkeep;

namespace CredBroker.UnitTests.Storage;

public sealed class TableDigestTests
{
    private static readonly SqlTable Table = new(
        "t",
        [new("a", SqlType.Text, "TEXT"), new("b", SqlType.Text, "TEXT")],
        ["a"]
    );

    /// <summary>Each is what an incautious digest takes for another one.</summary>
    [Fact]
    public void Tables_that_differ_in_anything_have_different_digests()
    {
        object?[][][] tables =
        [
            [],
            [
                [null, null],
            ],
            [
                [null, Text("")],
            ],
            [
                [Text(""), null],
            ],
            [
                [Text(""), Text("")],
            ],
            [
                [Text("ab"), Text("")],
            ],
            [
                [Text("a"), Text("b")],
            ],
            [
                [Text(""), Text("ab")],
            ],
            [
                [Text("a"), Text("b")],
                [Text("c"), Text("d")],
            ],
            [
                [Text("c"), Text("d")],
                [Text("a"), Text("b")],
            ],
            [
                [1L, 2L],
            ],
            [
                [2L, 1L],
            ],
            [
                [0L, 0L],
            ],
            [
                [Text("1"), Text("2")],
            ],
        ];
        var digests = tables.Select(rows => Digest(Table, rows)).ToList();

        Assert.Equal(digests.Count, digests.Distinct().Count());
        Assert.Equal(digests, tables.Select(rows => Digest(Table, rows)));
    }

    [Fact]
    public void The_same_values_in_other_columns_are_another_table() =>
        Assert.NotEqual(
            Digest(
                Table,
                [
                    [Text("x"), Text("y")],
                ]
            ),
            Digest(
                Table with
                {
                    Columns = [.. Table.Columns.Reverse()],
                },
                [
                    [Text("x"), Text("y")],
                ]
            )
        );

    private static string Digest(SqlTable table, object?[][] rows)
    {
        using var digest = new TableDigest(table);
        foreach (var row in rows)
        {
            digest.Add(row);
        }

        Assert.Equal(rows.Length, digest.Rows);
        return digest.Finish();
    }

    private static byte[] Text(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
