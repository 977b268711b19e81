using CredBroker.Client;
using Spectre.Console;

namespace CredBroker.Cli.Output;

/// <summary>Rows under headings, or names beside values: with borders and colours for a person, aligned plain text for a pipe.</summary>
internal static class Grid
{
    public static void Write(Terminal terminal, OutputFormat format, IReadOnlyList<string> headings, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        if (format == OutputFormat.Table)
        {
            WriteTable(terminal, headings, rows);
        }
        else
        {
            WriteColumns(terminal.Out, [[.. headings.Select(heading => heading.ToUpperInvariant())], .. rows]);
        }
    }

    /// <summary>Names beside values; a pair without a value is left out.</summary>
    public static void WriteFields(Terminal terminal, OutputFormat format, IEnumerable<(string Name, string? Value)> fields)
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
            grid.AddRow(new Text(name, new Style(decoration: Decoration.Dim)), Cell(value!));
        }

        terminal.OutConsole().Write(grid);
    }

    private static void WriteTable(Terminal terminal, IReadOnlyList<string> headings, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var table = new Table().Border(TableBorder.Simple).BorderStyle(new Style(decoration: Decoration.Dim));
        for (var i = 0; i < headings.Count; i++)
        {
            // The first column is what one copies into the next command: it is never cut.
            var column = new TableColumn(new Text(headings[i], new Style(decoration: Decoration.Bold)));
            table.AddColumn(i == 0 ? column.NoWrap() : column);
        }

        foreach (var row in rows)
        {
            // A name too long for its column is cut, a message in the last one goes on in the next line.
            table.AddRow(row.Select((cell, column) => Cell(cell).Overflow(column > 0 && column < row.Count - 1 ? Overflow.Ellipsis : Overflow.Fold)));
        }

        terminal.OutConsole().Write(table);
    }

    private static Text Cell(string value) => new(Printable.Lines(value), value switch
    {
        LeaseStates.Active or "ok" => new Style(Color.Green),
        LeaseStates.Failed or "unavailable" => new Style(Color.Red, decoration: Decoration.Bold),
        LeaseStates.Revoking or LeaseStates.Pending => new Style(Color.Yellow),
        _ => Style.Plain,
    });

    private static void WriteColumns(TextWriter writer, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var cells = rows.Select(row => row.Select(cell => cell.Length == 0 ? "-" : Printable.Text(cell)).ToArray()).ToList();
        var widths = cells.Count == 0 ? [] : Enumerable.Range(0, cells[0].Length).Select(column => cells.Max(row => row[column].Length)).ToArray();
        foreach (var row in cells)
        {
            writer.WriteLine(string.Join("  ", row.Select((cell, column) => column == row.Length - 1 ? cell : cell.PadRight(widths[column]))));
        }
    }
}
