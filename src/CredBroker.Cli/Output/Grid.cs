using CredBroker.Client;
using Spectre.Console;

namespace CredBroker.Cli.Output;

/// <summary>
/// Rows under headings, or names beside values: with borders and colours for a person, aligned plain text for a pipe.
/// </summary>
internal static class Grid
{
    public static void Write(
        Terminal terminal,
        OutputFormat format,
        IReadOnlyList<Column> columns,
        IReadOnlyList<IReadOnlyList<string>> rows
    )
    {
        if (format == OutputFormat.Table)
        {
            WriteTable(terminal, columns, rows);
        }
        else
        {
            WriteColumns(
                terminal.Out,
                [
                    [.. columns.Select(column => column.Heading.ToUpperInvariant())],
                    .. rows,
                ]
            );
        }
    }

    /// <summary>Names beside values; a pair without a value is left out.</summary>
    public static void WriteFields(
        Terminal terminal,
        OutputFormat format,
        IEnumerable<(string Name, string? Value)> fields
    )
    {
        var present = fields.Where(field => !string.IsNullOrEmpty(field.Value)).ToList();
        if (format != OutputFormat.Table)
        {
            WriteColumns(terminal.Out, [.. present.Select(field => new[] { field.Name, field.Value! })]);
            return;
        }

        var grid = new Spectre.Console.Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        foreach (var (name, value) in present)
        {
            grid.AddRow(new Text(Printable.Text(name), new Style(decoration: Decoration.Dim)), Cell(value!));
        }

        terminal.OutConsole().Write(grid);
    }

    private static void WriteTable(
        Terminal terminal,
        IReadOnlyList<Column> columns,
        IReadOnlyList<IReadOnlyList<string>> rows
    )
    {
        var console = terminal.OutConsole();
        int[] shown =
        [
            .. Enumerable.Range(0, columns.Count).Where(index => columns[index].FromWidth <= console.Profile.Width),
        ];
        var table = new Table().Border(TableBorder.None);
        foreach (var index in shown)
        {
            // The first column is what one copies into the next command: it is never cut.
            var column = new TableColumn(
                new Text(Printable.Text(columns[index].Heading), new Style(decoration: Decoration.Bold))
            )
                .PadLeft(0)
                .PadRight(2);
            table.AddColumn(index == 0 ? column.NoWrap() : column);
        }

        var shorten = columns
            .Select((column, index) => column.IsId ? ShortIds.Among(rows.Select(row => row[index])) : text => text)
            .ToArray();
        foreach (var row in rows)
        {
            // What is too long for its column goes on in the next line: two names that differ at their end stay apart.
            table.AddRow(shown.Select(index => Cell(shorten[index](row[index])).Overflow(Overflow.Fold)));
        }

        console.Write(table);
        if (columns.Where(column => column.FromWidth > console.Profile.Width).ToList() is [_, ..] left)
        {
            terminal.Error.WriteLine(
                $"Too narrow for {string.Join(", ", left.Select(column => column.Heading))}: a terminal of "
                    + $"{left.Max(column => column.FromWidth)} columns shows all, and so does --output plain."
            );
        }
    }

    private static Text Cell(string value) =>
        new(
            Printable.Lines(value),
            value switch
            {
                LeaseStates.Active or "ok" => new Style(Color.Green),
                LeaseStates.Failed or "unavailable" => new Style(Color.Red, decoration: Decoration.Bold),
                LeaseStates.Revoking or LeaseStates.Pending => new Style(Color.Yellow),
                _ => Style.Plain,
            }
        );

    private static void WriteColumns(TextWriter writer, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var cells = rows.Select(row => row.Select(cell => cell.Length == 0 ? "-" : Printable.Text(cell)).ToArray())
            .ToList();
        var widths =
            cells.Count == 0
                ? []
                : Enumerable.Range(0, cells[0].Length).Select(column => cells.Max(row => row[column].Length)).ToArray();
        foreach (var row in cells)
        {
            writer.WriteLine(
                string.Join(
                    "  ",
                    row.Select((cell, column) => column == row.Length - 1 ? cell : cell.PadRight(widths[column]))
                )
            );
        }
    }
}

/// <summary>A column of a table.</summary>
/// <param name="Heading">Its heading.</param>
/// <param name="FromWidth">A terminal narrower than this does without it.</param>
/// <param name="IsId">Whether its cells are ids, of which a table shows as much as tells them apart.</param>
internal readonly record struct Column(string Heading, int FromWidth = 0, bool IsId = false)
{
    public static Column Id(string heading) => new(heading, IsId: true);

    public static implicit operator Column(string heading) => new(heading);
}
