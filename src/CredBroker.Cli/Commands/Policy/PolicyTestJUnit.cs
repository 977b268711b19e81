using System.Globalization;
using System.Text;
using System.Xml;
using CredBroker.Cli.Output;

namespace CredBroker.Cli.Commands.Policy;

/// <summary>
/// The results of <c>policy test</c> as the XML that CI servers read (JUnit's): a suite for each file, and an error in
/// place of the tests of one that could not be run.
/// </summary>
internal static class PolicyTestJUnit
{
    public static void Write(Stream stream, PolicyTestReport report)
    {
        using var xml = XmlWriter.Create(
            stream,
            new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) }
        );
        xml.WriteStartElement("testsuites");
        Count(xml, report.Passed + report.Failed + report.Faulty, report.Failed, report.Faulty);
        foreach (var file in report.Files)
        {
            xml.WriteStartElement("testsuite");
            Attribute(xml, "name", file.File);
            var faulty = file.Faults.Count > 0 ? 1 : 0;
            Count(xml, file.Tests.Count + faulty, file.Tests.Count(test => !test.Passed), faulty);
            foreach (var test in file.Tests)
            {
                WriteTest(xml, file, test);
            }

            if (faulty > 0)
            {
                WriteFaults(xml, file);
            }

            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void WriteTest(XmlWriter xml, PolicyTestFileOutput file, PolicyTestOutput test)
    {
        Begin(xml, file, test.Name);
        Attribute(xml, "line", test.Line.ToString(CultureInfo.InvariantCulture));
        if (!test.Passed)
        {
            End(xml, "failure", string.Join("; ", test.Differences), test.Explanation ?? "");
        }

        xml.WriteEndElement();
    }

    private static void WriteFaults(XmlWriter xml, PolicyTestFileOutput file)
    {
        var faults = file.Faults.Select(fault => fault.ToString()).ToList();
        Begin(xml, file, "the file and its policy can be read");
        End(xml, "error", faults[0], string.Join('\n', faults));
        xml.WriteEndElement();
    }

    private static void Begin(XmlWriter xml, PolicyTestFileOutput file, string name)
    {
        xml.WriteStartElement("testcase");
        Attribute(xml, "classname", file.File);
        Attribute(xml, "name", name);
        Attribute(xml, "file", file.File);
    }

    private static void End(XmlWriter xml, string element, string message, string text)
    {
        xml.WriteStartElement(element);
        Attribute(xml, "message", message);
        xml.WriteString(Clean(text));
        xml.WriteEndElement();
    }

    private static void Count(XmlWriter xml, int tests, int failures, int errors)
    {
        Attribute(xml, "tests", tests.ToString(CultureInfo.InvariantCulture));
        Attribute(xml, "failures", failures.ToString(CultureInfo.InvariantCulture));
        Attribute(xml, "errors", errors.ToString(CultureInfo.InvariantCulture));
    }

    private static void Attribute(XmlWriter xml, string name, string value) =>
        xml.WriteAttributeString(name, Clean(value));

    // What does not print is no part of XML either, and two characters that are not assigned.
    private static string Clean(string text) =>
        Printable.Lines(text).Replace('\uFFFE', '\uFFFD').Replace('\uFFFF', '\uFFFD');
}
